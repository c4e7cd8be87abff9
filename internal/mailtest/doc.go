// Package mailtest runs mail servers on loopback, for the tests and for package demo.
//
// A [MemServer] is go-imap's server, an independent implementation. A [Server] is a small IMAP4rev1 server (RFC 3501) of our
// own, each answer of which can be delayed, replaced or corrupted; it also supports what go-imap's server lacks, such as
// QUOTA. A [Proxy] adds latency to the connection to any server. A [CA] issues their certificates.
//
// Nothing here logs. When Close of a server or proxy returns, all its goroutines have ended.
package mailtest
