// Package mailtest runs mail servers on loopback, for the tests and for package demo.
//
// A [MemServer] is go-imap's own server: honest, and written by somebody else than the client under test. A [Server] is
// a small IMAP4rev1 server (RFC 3501) of our own, each answer of which can be delayed, replaced or spoilt; it also speaks what the
// first one lacks, such as QUOTA. A [Proxy] makes the round trip to any server longer. A [CA] vouches for them.
//
// Nothing here logs, and all that a server or proxy started is gone when its Close returns.
package mailtest
