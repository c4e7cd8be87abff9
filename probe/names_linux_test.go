package probe

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/netns"
)

// TestNameServers: what a name server does shows in phase resolve, with its time, and every probe asks again.
func TestNameServers(t *testing.T) {
	network := netns.Enter(t)
	if network == nil {
		return
	}
	server, target := serve(t, mailtest.Options{Host: netns.IPv4})
	target.Timeout = 2 * time.Second
	many := make([]string, 100)
	for i := range many {
		many[i] = netns.IPv4
	}
	v4 := []string{netns.IPv4}
	names := network.NameServer(t, map[string]netns.Name{
		"good.test":      {A: v4},
		"slow.test":      {A: v4, Delay: 400 * time.Millisecond},
		"servfail.test":  {RCode: dnsmessage.RCodeServerFailure},
		"refused.test":   {RCode: dnsmessage.RCodeRefused},
		"empty.test":     {},
		"truncated.test": {A: v4, Truncated: true},
		"many.test":      {A: many},
		"mute.test":      {Mute: true},
		"poisoned.test":  {A: []string{"0.0.0.0"}},
	})
	for name, c := range map[string]struct {
		phase  Phase
		reason Reason // "" for success
		least  time.Duration
	}{
		"good.test":      {},
		"slow.test":      {least: 400 * time.Millisecond},
		"servfail.test":  {phase: PhaseResolve, reason: ReasonDNS},
		"refused.test":   {phase: PhaseResolve, reason: ReasonDNS},
		"empty.test":     {phase: PhaseResolve, reason: ReasonDNS},
		"unknown.test":   {phase: PhaseResolve, reason: ReasonDNS},
		"truncated.test": {},
		"many.test":      {},
		"mute.test":      {phase: PhaseResolve, reason: ReasonTimeout, least: time.Second},
		"poisoned.test":  {phase: PhaseConnect, reason: ReasonRefused}, // 0.0.0.0 is this machine.
	} {
		t.Run(name, func(t *testing.T) {
			r := inTime(t, server, at(target, name), c.phase, c.reason)
			if c.reason == ReasonTimeout && !strings.Contains(r.Err.Text, "the resolver gave up after") {
				t.Errorf("text %q", r.Err.Text)
			}
			d := took(t, r, PhaseResolve)
			if d < c.least || c.least == 0 && d > 300*time.Millisecond {
				t.Errorf("resolve took %v, want %v", d, c.least)
			}
			if c.reason == "" && took(t, r, PhaseConnect) > 200*time.Millisecond {
				t.Errorf("connect took %v", took(t, r, PhaseConnect))
			}
			before := names.Questions(name)
			Run(t.Context(), at(target, name))
			if names.Questions(name) == before {
				t.Error("the second probe didn't ask")
			}
		})
	}
}

// TestNoFileLeft: too many open files are the exporter's own failure in any phase, though resolvers say "no such host" then.
func TestNoFileLeft(t *testing.T) {
	t.Parallel()
	network := netns.Enter(t) // This runs again in a process of its own.
	if network == nil {
		return
	}
	_, target := serve(t, mailtest.Options{Host: netns.IPv4})
	network.NameServer(t, map[string]netns.Name{"good.test": {A: []string{netns.IPv4}}})
	succeed(t, at(target, "good.test"))
	var before unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: 4096}, &before); err != nil {
		t.Fatal(err)
	}
	byName, byAddress := Run(t.Context(), at(target, "good.test")), Run(t.Context(), target)
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4096, Max: 4096}, nil); err != nil {
		t.Fatal(err)
	}
	for phase, r := range map[Phase]*Result{PhaseResolve: byName, PhaseConnect: byAddress} {
		if r.Err == nil || r.Err.Phase != phase || r.Err.Reason != ReasonInternal {
			t.Errorf("got %v, want %s/%s", r.Err, phase, ReasonInternal)
		}
	}
	secret := *target
	secret.Secret = func(context.Context) (string, error) { return "", fmt.Errorf("read: %w", syscall.EMFILE) }
	fail(t, &secret, PhaseAuth, ReasonInternal)
	succeed(t, at(target, "good.test"))
}
