// Package probe measures one account on one server as a mail client would use it, and returns what it learnt.
//
// # The conversation
//
// [Run] goes through these steps in a real client's order, so that nothing has warmed the mailbox up. Each is a [Phase]
// with a time of its own; what the [Target] doesn't ask for, and what the server doesn't offer, doesn't run:
//
//	resolve     the addresses of the server's name
//	connect     one address after another; the time lost on those that failed is connect_failed
//	tls         the full handshake, verified: at once (implicit) or after starttls
//	greeting    the server's first line
//	starttls    STARTTLS, after a CAPABILITY of its own; required, never opportunistic
//	capability  CAPABILITY before TLS, before auth and after auth: the sum
//	auth        LOGIN or AUTHENTICATE
//	id          ID
//	select      EXAMINE, or SELECT
//	fetch       FETCH of the newest message, always PEEK, and of the oldest one's date: the sum
//	unselect    UNSELECT, never CLOSE: after SELECT that would expunge
//	list        LIST for each pattern: the sum
//	status      STATUS of each mailbox: the sum
//	quota       GETQUOTAROOT
//	logout      LOGOUT, which never fails a probe
//
// A command's time runs from its last byte handed to the socket to the last byte of its tagged answer; an exchange of
// several round trips (AUTHENTICATE, a literal) from its first line. Times are taken by package wire, on the wire. What
// the phases leave of the whole is our own work between them.
//
// # Success and failure
//
// A probe succeeds when every step that was asked for ended well. Its first failure ends it, but for LOGOUT, and is an
// [Error]: the phase says where, the [Reason] what. A refused GETQUOTAROOT, or one refused mailbox out of a pattern, is
// no failure: it is absent from the [Result], and noted.
//
// # Bounds
//
// Run returns at its Target's timeout at the latest, give or take what closing takes, whatever the server does. It
// reads at most one MiB and what FETCH may bring, and leaves no goroutine and no socket behind.
package probe
