package account

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// names returns the accounts in order.
func names(r *Registry) (names []string) {
	for _, s := range r.All() {
		names = append(names, s.Name)
	}
	return names
}

func TestRegistry(t *testing.T) {
	var r Registry
	r.Set([]Account{{Name: "b", Module: "first"}, {Name: "a"}, {Name: "b", Module: "second"}, {Name: "\xff"}, {Name: "c", Server: "\xff"}})
	if diff := cmp.Diff([]string{"a", "b"}, names(&r)); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	b := Key{"b", "imap"}
	if s, ok := r.Get(b); !ok || s.Module != "first" {
		t.Errorf("b is %+v, %v, want the first one of this name", s, ok)
	}
	next := schedule.State{NextRun: time.Unix(1, 0), Suspended: true}
	if key, ok := r.SetState("b", next); !ok || key != b {
		t.Errorf("SetState: %v, %v", key, ok)
	}
	if _, ok := r.SetState("gone", next); ok {
		t.Error("SetState knows an account that isn't there")
	}
	r.Set([]Account{{Name: "new"}, {Name: "b"}})
	if s, _ := r.Get(b); s.State != next {
		t.Errorf("after a reload the state of b is %+v", s.State)
	}
	if s, ok := r.Get(Key{"new", "imap"}); !ok || s.State != (schedule.State{}) {
		t.Errorf("a new account: %+v, %v", s, ok)
	}
	if _, ok := r.Get(Key{"a", "imap"}); ok {
		t.Error("a removed account is still there")
	}
}

// Two services of one account are two jobs, in the order of their protocols. That of IMAP keeps the account's name, from which
// the schedule derives its slots.
func TestServicesOfOneAccount(t *testing.T) {
	var r Registry
	r.Set([]Account{{Name: "a", Target: &probe.Target{Protocol: &probe.Protocol{Name: "toy"}}}, {Name: "a"}, {Name: "a b"}})
	if job := r.Accounts()[0].Key().Job(); job != "a" {
		t.Errorf("the job of IMAP is %q", job)
	}
	toy := Key{"a", "toy"}
	if key, ok := r.SetState(toy.Job(), schedule.State{Suspended: true}); !ok || key != toy {
		t.Errorf("SetState: %v, %v", key, ok)
	}
	if s, _ := r.Get(Key{"a", "imap"}); s.Suspended {
		t.Error("one service has the other one's state")
	}
}

func TestStaleAfter(t *testing.T) {
	start := time.Unix(1000, 0)
	if got := (&Account{Interval: time.Minute}).StaleAfter(start); !got.Equal(start.Add(3 * time.Minute)) {
		t.Errorf("stale after %v", got)
	}
	if got := (&Account{}).StaleAfter(start); !got.IsZero() {
		t.Errorf("on demand only: stale after %v", got)
	}
}

func TestReservedLabel(t *testing.T) {
	for name, want := range map[string]bool{"account": true, "server": true, "job": true, "instance": true, "le": true, "__name__": true, "team": false} {
		if ReservedLabel(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
