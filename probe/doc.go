// Package probe measures one account on one server as a mail client would use it, and returns what it learnt.
//
// # Protocols, steps and phases
//
// [Run] runs the steps of a [Protocol] one after another, as a mail client would, so that nothing has warmed up the mailbox
// before. Each step belongs to a [Phase], which has a time of its own in the [Result]. A step that the [Target] doesn't ask
// for, or that the server doesn't offer, doesn't run. These are the phases of [IMAP]:
//
//	resolve     look up the addresses of the server's name
//	connect     connect to one address after another; the time lost on those that failed is connect_failed
//	tls         make a full handshake and verify it: at once (implicit) or after starttls
//	greeting    wait for the server's first line
//	starttls    STARTTLS, after a CAPABILITY of its own; required, never opportunistic
//	capability  CAPABILITY before TLS, before auth and after auth: the sum
//	auth        LOGIN or AUTHENTICATE
//	id          ID
//	select      EXAMINE, or SELECT
//	fetch       FETCH of the newest message, always with PEEK, and of the oldest one's date: the sum
//	unselect    UNSELECT; never CLOSE, which after SELECT would expunge messages
//	list        LIST for each pattern: the sum
//	status      STATUS of each mailbox: the sum
//	quota       GETQUOTAROOT
//	logout      LOGOUT, which never fails a probe
//
// The time of a command runs from when its last byte is handed to the socket to when the last byte of its answer is
// received; that of an exchange of several round trips (AUTHENTICATE, a literal) from its first line. Package wire takes
// these times below TLS. The rest of the probe's duration is our own work between the steps.
//
// # Success and failure
//
// A probe succeeds if every step that was asked for succeeds. The first failure ends it, LOGOUT apart, and is an [Error]:
// its phase says where it failed, and its [Reason] why. A refused GETQUOTAROOT, or one refused mailbox out of those that
// match a pattern, is no failure: it is missing from the Result, and noted there.
//
// # Limits
//
// Run returns when its Target's timeout has passed, plus what closing takes, whatever the server does. It reads at most
// 1 MiB, and what FETCH may return beyond that, and leaves no goroutine and no socket behind.
package probe
