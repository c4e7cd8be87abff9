package schedule

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A dovecot delays logins as Dovecot 2.3 does. It notes a rejected login at once, says so 2 s later, and makes those that
// begin then wait: 4 s after one, 8 s and 15 s after more; as much time after it, it drops the one. A success clears all.
type dovecot struct {
	mu      sync.Mutex
	penalty int
	last    time.Time
}

func penaltyTime(penalty int) time.Duration {
	return min(2*time.Second<<penalty, 15*time.Second)
}

// login returns how long a login takes.
func (d *dovecot) login(good bool) time.Duration {
	d.mu.Lock()
	forgiven := 0
	for forgiven < 4 && time.Since(d.last) >= penaltyTime(forgiven+1) {
		forgiven++
	}
	penalty := max(d.penalty-forgiven, 0)
	d.mu.Unlock()
	begun := time.Now()
	if penalty > 0 {
		pause(penaltyTime(penalty))
	}
	d.mu.Lock()
	if good {
		d.penalty = 0
	} else {
		d.penalty, d.last = penalty+1, time.Now()
	}
	d.mu.Unlock()
	if !good {
		pause(2 * time.Second)
	}
	return time.Since(begun)
}

// One wrong password among 20 right ones on a Dovecot delays no other login, and is rarely used, even when it is replaced
// by another wrong one.
func TestWrongPasswordSlowsNobody(t *testing.T) {
	for seed := range 40 {
		synctest.Test(t, func(t *testing.T) {
			var server dovecot
			r := newRecorder()
			job := func(name string, good bool) Job {
				return Job{Name: name, Server: "dovecot", Interval: time.Minute, Run: func(context.Context) Outcome {
					r.begin(name)
					pause(30 * time.Millisecond) // Connection and TLS.
					if took := server.login(good); good && took > 0 {
						t.Errorf("seed %d: a login of %s took %s at %s", seed, name, took, time.Now().Format(time.TimeOnly))
					}
					pause(50 * time.Millisecond)
					return Outcome{OK: good, LoggedIn: good, Rejected: !good}
				}}
			}
			wrong, begun := job("wrong", false), time.Now()
			want := 3
			if seed%2 == 1 {
				wrong.Secret = func() string { return fmt.Sprint(time.Since(begun) > 3*time.Minute) }
				want = 5 // At 0, +1; then 0, +1, +5 min.
			}
			jobs := []Job{wrong}
			for i := range 20 {
				jobs = append(jobs, job(fmt.Sprintf("good-%d", i), true))
			}
			w := begin(t, Options{Seed: fmt.Sprint(seed), MaxConcurrentPerServer: 16}, jobs...)
			wait(10 * time.Minute)
			w.stop()
			if n := r.count("wrong"); n != want {
				t.Errorf("seed %d: %d logins with the wrong password in 10 minutes, want %d", seed, n, want)
			}
			if counts := w.Counts(); counts.Skipped[Overload] != 0 {
				t.Errorf("seed %d: counts are %+v, want every slot of the good ones served", seed, counts)
			}
		})
	}
}
