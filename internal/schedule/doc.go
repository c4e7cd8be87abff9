// Package schedule runs jobs over time: spread, never overlapping, never piling up, and never so that an account is
// locked.
//
// # Slots
//
// A job has a slot every interval, at its own phase: the hash of its name, modulo the interval, on the wall clock.
// So jobs are spread evenly over the interval, and keep their places when the program is started anew or its
// configuration is reloaded. Slots come whether or not earlier runs have ended (an open loop): a slow server doesn't
// stretch the schedule, which would hide just the time in which it was slow.
//
// Nobody wants to wait an hour for the first run of an hourly job. So the first slot is the job's own one when that
// comes within 30 s, else it is within 30 s, spread by the same hash. After any run comes the first slot of its own that
// is at least half an interval later. Example, with an interval of 10 minutes, phase 7:12, and a hash that gives 12 s:
//
//	start 12:00:00   runs 12:00:12, 12:07:12, 12:17:12, 12:27:12 …
//	start 12:04:00   runs 12:04:12, 12:17:12, 12:27:12 …               12:07:12 is too close
//	start 12:06:50   runs 12:07:12, 12:17:12, 12:27:12 …               the job's own slot comes within 30 s
//
// While a job fails, its slots come every RetryInterval, counted from the slot that failed, where that is shorter.
// Once it succeeds, the half-interval rule brings it back to its own phase. Nothing is ever tried twice in one slot.
//
// # Bounds
//
// At most one run of a job is under way at a time, at most MaxConcurrent in all and MaxConcurrentPerServer on one
// server. What can't start waits, and the job whose last Result is oldest starts first, so that all accounts of a hung
// server stay watched. How late a run starts is its lag; that is no part of what it measures. A job that still waits or
// runs when its next slot comes doesn't queue for it again: that slot is skipped. Example, every 10 s, of which one
// run hangs for 25 s:
//
//	12:00:00   starts, hangs until 12:00:25
//	12:00:10   skipped, overload
//	12:00:20   skipped, overload
//	12:00:30   starts
//
// The same holds when the whole process stands still (SIGSTOP), or the machine is suspended: then each job runs once,
// as the bounds allow, and what it missed is counted. Setting the wall clock moves nothing.
//
// Every slot is started or skipped, and counted as such once that is decided; see [Counts].
//
// # After a rejected login
//
// Servers lock accounts, and ban addresses, after some wrong passwords. So a job whose login was rejected is
// suspended: its slots are skipped until the next login is due, at
//
//	+1, +5, +15 min, then every 15 min         where a login of it was accepted since the start
//	+1, +5, +30 min, +2 h, then every 6 h      where none was
//
// after the first rejection, all waits ± 10 %. These logins take place between two slots, too, as a slot of their own,
// but where Interval is longer than the wait, at the next slot. Runs that end without a verdict don't shorten the list.
// Suspended logins of one server are at least 50 s apart, whichever accounts they are of. A suspension ends when
//
//   - the login is accepted;
//   - the job's secret has changed, which is looked at in each slot, and by Do: that slot is served;
//   - another suspended account of the same server logs in again: it wasn't the passwords, then. All suspensions of the
//     server end, and the accounts run in their own next slots, which are spread over one interval.
//
// Dovecot makes the logins that follow a rejected one wait, whosever they are, as long as they come from the same
// address. So that the good accounts don't show that as the server's slowness, nothing starts on a server for 15 s after
// a rejected login. And what may well be rejected goes alone: while such a run is under way no other starts on its
// server, nor does it start before the others have ended, in either case for 4 s at most. That is each suspended login,
// and on a server with at most 50 jobs each job's first run and the first one with a new secret. Example, all
// every minute on one server, wrong's password being so:
//
//	12:00:05   wrong starts; rejected at 12:00:07
//	12:00:10   good starts at 12:00:22, lag 12 s
//	12:00:30   better starts
//	12:01:05   wrong is skipped, backoff; its next login is due at 12:01:09
//	12:01:09   wrong starts; rejected at 12:01:11
//	12:01:10   good starts at 12:01:26, lag 16 s
//
// # When the server asks to be left alone
//
// After a throttled run, its account's slots are skipped for as long as the server said, at most 1 h, or for 5 min where
// it didn't say. It is the account alone, because the limits that servers announce are the account's: Exchange's
// "Suggested Backoff Time" is of the mailbox's budget, Dovecot's LIMIT (RFC 5530, section 3) of the user at one
// address, INUSE of a mailbox. A server that is unavailable holds nothing back.
//
// # On demand
//
// Do runs a job at once, or joins its run that is under way, and keeps the bounds and the guards. A caller may bring a Run
// of its own, for one job or as a guest for none. Runs of one job never overlap, whoever brought them: those of the same
// Key are shared, others follow one another, and a slot that comes meanwhile is served after them. Such a run that comes
// out OffSchedule moves no slot; all else that it tells counts, since a rejected login is one. Example, every 60 s at :10:
//
//	12:00:02   Do, the job's own run: ends at 12:00:03. The slot of 12:00:10 is too close, the next one is 12:01:10
//	12:01:09   Do, a run of another kind: ends at 12:01:11. The slot of 12:01:10 starts then, lag 1 s
//
// Nothing of all this outlives the program: a restart forgets the suspensions, and two copies of it double the logins.
package schedule
