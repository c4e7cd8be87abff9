// Package schedule runs jobs periodically. It spreads them over time, never runs one job twice at a time, limits how many
// run at once, and tries rejected logins so rarely that servers don't lock the account.
//
// # Slots
//
// A slot is a time at which a job should run. A job has one slot in each interval, at an offset that is the hash of its
// name modulo the interval, counted on the wall clock. This spreads the jobs evenly over the interval, and a job keeps
// its slots when the program restarts or the configuration is reloaded. Slots come whether or not earlier runs have
// ended (an open loop): a slow server doesn't delay the next slots, which would hide the time in which it was slow.
//
// A new job runs within 30 s, however long its interval is: if its next regular slot is later than that, it has a first
// slot within 30 s, spread by the same hash. After a run, the next slot is the first regular one that is at least half
// an interval later. Example, with an interval of 10 minutes, an offset of 7:12, and a hash that gives 12 s:
//
//	start 12:00:00   runs 12:00:12, 12:07:12, 12:17:12, 12:27:12 …
//	start 12:04:00   runs 12:04:12, 12:17:12, 12:27:12 …               12:07:12 is too close to the first run
//	start 12:06:50   runs 12:07:12, 12:17:12, 12:27:12 …               the regular slot comes within 30 s
//
// While a job fails, it has a slot every RetryInterval, if that is shorter than its interval, counted from the slot that
// failed. When it succeeds, it returns to its regular slots by the rule of half an interval. No slot runs a job twice.
//
// # Limits
//
// At most MaxConcurrent jobs run at a time, at most MaxConcurrentPerServer of them on one server, and no job more than
// once. A job that can't start waits. The job with the oldest last result starts first, so that all accounts of a
// server that hangs are still probed in turn. The time between a slot and the start of its run is the scheduling delay;
// it is not part of what the run measures. A slot that comes while its job still waits or runs is skipped. Example,
// every 10 s, where one run hangs for 25 s:
//
//	12:00:00   starts, hangs until 12:00:25
//	12:00:10   skipped, overload
//	12:00:20   skipped, overload
//	12:00:30   starts
//
// The same rule applies after the process was stopped (SIGSTOP) or the machine slept: each job runs once, within the
// limits, and the other slots that it missed are counted as skipped. Setting the wall clock doesn't move slots.
//
// Each slot is counted once, as started or as skipped; see [Counts].
//
// # After a rejected login
//
// Servers lock accounts and ban addresses after several wrong passwords. So a job whose login was rejected is suspended:
// its slots are skipped until its next login, which comes after the first rejection at
//
//	+1, +5, +15 min, then every 15 min         if one of its logins was accepted since the start
//	+1, +5, +30 min, +2 h, then every 6 h      if none was
//
// Each of these waits varies by ± 10 %. A login that is due between two slots gets a slot of its own, unless the interval
// is longer than the wait; then it takes the next slot. If that run ends without a verdict on the login, as at a timeout,
// it counts as one more rejection. Suspended jobs of one server log in at least 50 s apart. A suspension ends when
//
//   - the login is accepted;
//   - the job's secret changes, which each slot and Do check: that slot is served;
//   - the server accepts the login of another suspended job. Then the passwords weren't the cause: all suspensions on
//     this server end, and each job runs in its next regular slot, so that they are spread over one interval.
//
// After a rejected login, Dovecot delays later logins from the same address, whatever their accounts. Measurements of
// other accounts must not include that delay. So no job starts on a server for 15 s after a rejected login there, its
// cooldown. And a job whose login may well be rejected runs exclusively: it starts when no other job runs on its server,
// and no other starts until it has ended; neither wait is longer than 4 s. This applies to suspended jobs and, on
// servers with at most 50 jobs, to the first login of a job and the first with a new secret. Example, three jobs of one
// server that run every minute, the first with a wrong password:
//
//	12:00:05   wrong starts; rejected at 12:00:07
//	12:00:10   good starts at 12:00:22, delayed by 12 s
//	12:00:30   better starts
//	12:01:05   wrong is skipped, backoff; its next login is due at 12:01:09
//	12:01:09   wrong starts; rejected at 12:01:11
//	12:01:10   good starts at 12:01:26, delayed by 16 s
//
// # Callers whose logins are rejected
//
// Do can log in to an account in another way than its slots, with a [Request] of another Key: perhaps by a mechanism that the
// server rejects for this account. So suspensions are kept by key. A rejected login with one key suspends that key only, if
// the last login of another key was accepted with the same secret. If none was, the secret is probably wrong, and the job is
// suspended: its slots and all keys. Callers can't lock an account by many keys: the rejections of all keys, but not those of
// the slots, make one list of waits. Example, where the slots log in by LOGIN and a caller by SCRAM, which fails:
//
//	12:00:05   a slot starts; accepted
//	12:00:20   Do with another key; rejected. That key is suspended until 12:01:20
//	12:00:30   Do with the same key returns an error at once
//	12:01:05   a slot starts as always
//
// # When the server can't check logins
//
// A server may fail to check a login, because its own database, directory or backend fails. The password is not in doubt, so
// nothing is suspended, but each attempt adds load. After such a run, slots are skipped for 1, 2, 5, 10, then always 15 min since
// it started, less a tenth, so that a job with that interval loses none. Pauses are kept by key, as suspensions are. When
// the server accepts a login that it failed to check before, all pauses on this server end.
//
// # When the server throttles
//
// After a throttled run, the job's slots are skipped for the time that the server named, at most 1 h, or for 5 min if it
// named none. This applies to the one account and all keys, because the limits that servers announce are an account's:
// Exchange's "Suggested Backoff Time" belongs to the mailbox's budget, Dovecot's LIMIT (RFC 5530, section 3) to a user at
// one address, INUSE to a mailbox.
//
// # On demand
//
// Do runs a job at once, or joins its run that is under way, within the same limits and suspensions. A [Request] can
// bring its own Run, for a job or for a server that no job has. Runs of one job never overlap. Requests with the same
// Key share a run; different ones run one after another, and a slot that comes meanwhile is served after them. A run
// that ends as OffSchedule doesn't move slots; everything else that it reports counts, such as a rejected login. Requests
// for servers that no job has start after all others, and use at most a quarter of each limit (at least one run), so
// that servers that never answer don't take the room of the jobs. Example, every 60 s at :10:
//
//	12:00:02   Do, the job's own run: ends at 12:00:03. The slot of 12:00:10 is too close, the next one is 12:01:10
//	12:01:09   Do, a run with another Key: ends at 12:01:11. The slot of 12:01:10 starts then, delayed by 1 s
//
// All of this is kept in memory only: a restart forgets suspensions, and two copies of the program log in twice as often.
package schedule
