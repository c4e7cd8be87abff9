// Package imap is the IMAP dialect of a probe's conversation (RFC 9051, and RFC 3501 for what most servers speak): it reads
// a server's lines as responses and values, sends commands one at a time, logs in, and writes mailbox names.
//
// A [Conn] speaks IMAP on a [wire.Conn], which has the limits, times and transcript. [Conn.Do] sends a command and passes on
// each untagged [Response]; a tagged NO or BAD is a [*StatusError], after which the conversation goes on, and any other error
// ends it.
// A [ClientConn] lets go-imap's client speak on the same conversation. docs/decisions/0001-instrumented-connection.md says
// which commands are left to it, and why.
package imap
