// Package demo has the mail servers that come with the program, to try it without a server of one's own: healthy ones and
// faulty ones, on loopback. An account whose server is called demo, or demo-slow and so on, is probed there.
package demo
