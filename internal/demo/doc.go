// Package demo has the mail servers that are part of the program, for trying it out: healthy ones and faulty ones, on
// loopback. Accounts use them by the server names demo, demo-slow and so on.
package demo
