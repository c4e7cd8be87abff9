// Package wire is the instrumented connection under a probe: it bounds what a server may do, and takes the times.
//
// It has two layers. The [Socket] lies below TLS. It owns the one deadline of the probe, counts bytes against a
// budget, remembers what ended the connection, and notes when bytes left and arrived. The [Gate] lies above TLS. It
// reads the server's bytes as IMAP responses (RFC 9051, section 7), refuses what no honest server sends, measures each
// command from its last byte handed to the socket to the last byte of its tagged answer, and writes the transcript.
//
// All reading and writing happens in the goroutine that calls the Gate. [Gate.Conn] lends the connection to go-imap's
// client as a [net.Conn]: what the client writes is exchanged with the server at once, and what it reads has already
// passed the Gate, reduced to what it asked for. docs/decisions/0001-instrumented-connection.md tells why.
package wire
