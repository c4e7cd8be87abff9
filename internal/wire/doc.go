// Package wire is the instrumented connection under a probe, whatever protocol is spoken on it. It limits what a server may
// do, and measures time.
//
// It has two layers, with TLS between them once it has started:
//
//   - A [Socket] wraps the TCP connection. It has the one deadline of the probe, which no layer above can move, counts
//     received bytes against a budget, keeps the first error that ended the connection, and knows when bytes were sent
//     and received, by the kernel's timestamps where there are any.
//   - A [Conn] is the conversation in lines: it reads lines and literals within limits, measures each command from its
//     last byte handed to the kernel to the last byte of its answer, and writes the transcript, in which secrets are
//     redacted.
//
// What the lines mean is for the protocol's package, such as internal/imap, which builds on Conn. All reading and writing
// happens in the goroutine that calls it. docs/decisions/0001-instrumented-connection.md says why this isn't left to a
// library.
package wire
