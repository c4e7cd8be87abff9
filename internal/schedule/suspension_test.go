package schedule

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// rejects makes a job whose logins are accepted so many times, then rejected, after 2 s each.
func rejects(r *recorder, name string, interval time.Duration, accepted int) Job {
	return r.jobWith(name, "s", interval, func(n int) (time.Duration, Outcome) {
		if n < accepted {
			return 100 * time.Millisecond, Outcome{OK: true}
		}
		return 2 * time.Second, Outcome{Rejected: true}
	})
}

// The logins of a day come at the times of the lists.
func TestLoginsAfterRejectedOnes(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	quarters := []time.Duration{0, minute, 5 * minute}
	for len(quarters) < 90 {
		quarters = append(quarters, time.Duration(len(quarters)-2)*15*minute)
	}
	for _, test := range []struct {
		interval time.Duration
		accepted int
		want     []time.Duration
	}{
		{5 * time.Second, 0, []time.Duration{0, minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour, 14 * hour, 20 * hour}},
		{time.Minute, 0, []time.Duration{0, minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour, 14 * hour, 20 * hour}},
		{50 * time.Second, 0, []time.Duration{0, minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour, 14 * hour, 20 * hour}},
		{5 * time.Second, 3, quarters},
		{time.Minute, 3, quarters},
		{20 * minute, 0, []time.Duration{0, 20 * minute, 40 * minute, 65 * minute, 155 * minute, 515 * minute}}, // Not shortened.
		{2 * hour, 1, []time.Duration{0, 2 * hour, 4 * hour, 6 * hour, 8 * hour, 10 * hour, 12 * hour, 14 * hour}},
	} {
		for i := range 12 {
			name := fmt.Sprintf("account-%d", i)
			t.Run(fmt.Sprintf("%s accepted %d times, every %s", name, test.accepted, test.interval), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRecorder()
					w := begin(t, Options{}, rejects(r, name, test.interval, test.accepted))
					wait(24 * time.Hour)
					w.stop()
					got := since(r.startsOf(name)[test.accepted:])
					if len(got) < len(test.want) {
						t.Fatalf("%d logins in a day, want at least %d", len(got), len(test.want))
					}
					early := time.Duration(0)
					if test.interval > 10*minute { // The second slot comes between a half and one and a half intervals after the first.
						early = got[1] - test.want[1]
					}
					for i, want := range test.want {
						if i > 0 {
							want += early
						}
						slack := want/10 + 2*time.Second*time.Duration(i) // Rejections take 2 s.
						if off := got[i] - want; off.Abs() > slack {
							t.Errorf("login %d is at %s, want %s", i, got[i], want)
						}
					}
				})
			})
		}
	}
}

// All slots of a suspended job are counted, and its State says when the next login comes.
func TestSuspendedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, rejects(r, "a", 10*time.Second, 1))
		for range 200 {
			count := r.count("a")
			state, _ := w.State("a")
			if !state.NextRun.Equal(w.stateOf("a").NextRun) {
				t.Errorf("the observer was told that the next run is at %s, it is at %s", w.stateOf("a").NextRun, state.NextRun)
			}
			if want := count > 1 && w.InFlight() == 0; want && (!state.Suspended || !state.NextLogin.Equal(state.NextRun)) {
				t.Errorf("after %d runs the state is %+v", count, state)
			}
			wait(time.Until(state.NextRun) - time.Millisecond)
			if r.count("a") != count {
				t.Errorf("run %d is too early", count)
			}
			wait(2 * time.Millisecond)
			if r.count("a") != count+1 {
				t.Errorf("run %d isn't at %s", count, state.NextRun)
			}
			wait(3 * time.Second)
		}
		counts := w.Counts()
		checkSum(t, counts)
		// A login takes place at a slot, or between two.
		slots, passed := uint64(time.Since(r.startsOf("a")[0])/(10*time.Second)), counts.Scheduled
		if passed < slots || passed > slots+200 || counts.Skipped[Backoff]+200 != passed {
			t.Errorf("counts are %+v, want 200 started of about %d", counts, slots)
		}
	})
}

// A failure without a verdict on the login suspends nothing, but doesn't end a suspension either.
func TestFailuresWithoutVerdict(t *testing.T) {
	for _, test := range []struct {
		name      string
		first     Outcome
		then      Outcome
		suspended bool
		count     int
	}{
		{"unavailable", Outcome{}, Outcome{}, false, 60},
		{"rejected, then hanging", Outcome{Rejected: true}, Outcome{}, true, 4},
		{"rejected, then canceled", Outcome{Rejected: true}, Outcome{Canceled: true}, true, 59},
		{"rejected, then logged in without success", Outcome{Rejected: true}, Outcome{LoggedIn: true}, false, 59},
		{"rejected, then good", Outcome{Rejected: true}, Outcome{OK: true}, false, 59},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRecorder()
				w := begin(t, Options{}, r.jobWith("a", "s", time.Minute, func(n int) (time.Duration, Outcome) {
					if n == 0 {
						return time.Second, test.first
					}
					return time.Second, test.then
				}))
				wait(time.Hour)
				state, _ := w.State("a")
				if n := r.count("a"); state.Suspended != test.suspended || n < test.count-1 || n > test.count+1 {
					t.Errorf("%d runs, want about %d; the state is %+v", n, test.count, state)
				}
				if state.Suspended == state.NextLogin.IsZero() {
					t.Errorf("the state is %+v", state)
				}
			})
		})
	}
}

// RetryInterval doesn't apply to suspended jobs.
func TestNoRetriesWhileSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := rejects(r, "a", time.Minute, 1)
		job.RetryInterval = time.Second
		w := begin(t, Options{}, job)
		wait(time.Hour)
		if counts := w.Counts(); counts.Started > 8 || counts.Scheduled > 68 {
			t.Errorf("counts are %+v, want 8 started of about 66", counts)
		}
	})
}

// The slots between two logins are counted, even if the process was stopped at their time.
func TestSkippedWhileSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := rejects(r, "a", 10*time.Second, 0)
		job.Secret = func() string { return "old" }
		w := begin(t, Options{}, job)
		wait(40*time.Minute + time.Millisecond) // The next login is after 2 h.
		before := w.Counts()
		for range 10 {
			w.standStill(77 * time.Second)
			wait(3 * time.Second)
		}
		after := w.Counts()
		if got := after.Skipped[Backoff] - before.Skipped[Backoff]; got != 80 || after.Started != before.Started {
			t.Errorf("%d slots were skipped in 800 s, want 80: %+v", got, after)
		}
	})
}
