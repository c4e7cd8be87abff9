package exporter

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

func TestOutcomeOf(t *testing.T) {
	failed := func(phase probe.Phase, reason probe.Reason, backoff time.Duration) *probe.Error {
		return &probe.Error{Phase: phase, Reason: reason, Backoff: backoff}
	}
	loggedIn := []probe.Timing{{Phase: probe.PhaseConnect, OK: true}, {Phase: probe.PhaseAuth, OK: true}}
	notLoggedIn := []probe.Timing{{Phase: probe.PhaseConnect, OK: true}, {Phase: probe.PhaseAuth}}
	for name, c := range map[string]struct {
		result probe.Result
		want   schedule.Outcome
	}{
		"success":               {probe.Result{Phases: loggedIn}, schedule.Outcome{OK: true, LoggedIn: true}},
		"success without login": {probe.Result{}, schedule.Outcome{OK: true}},
		"rejected": {
			probe.Result{Phases: notLoggedIn, Err: failed(probe.PhaseAuth, probe.ReasonRejected, 0)},
			schedule.Outcome{Rejected: true},
		},
		"rejected, but not the login": {
			probe.Result{Phases: loggedIn, Err: failed(probe.PhaseSelect, probe.ReasonRejected, 0)},
			schedule.Outcome{LoggedIn: true},
		},
		"unavailable": {
			probe.Result{Phases: notLoggedIn, Err: failed(probe.PhaseAuth, probe.ReasonUnavailable, 0)},
			schedule.Outcome{Unavailable: true},
		},
		"unavailable after the login": {
			probe.Result{Phases: loggedIn, Err: failed(probe.PhaseSelect, probe.ReasonUnavailable, 0)},
			schedule.Outcome{LoggedIn: true},
		},
		"unavailable before the login": {
			probe.Result{Err: failed(probe.PhaseGreeting, probe.ReasonUnavailable, 0)},
			schedule.Outcome{},
		},
		"a refused token": {
			probe.Result{Phases: notLoggedIn, Err: failed(probe.PhaseAuth, probe.ReasonToken, 0)},
			schedule.Outcome{Rejected: true},
		},
		"a token that expired after the login": {
			probe.Result{Phases: loggedIn, Err: failed(probe.PhaseFetch, probe.ReasonToken, 0)},
			schedule.Outcome{LoggedIn: true},
		},
		"throttled": {
			probe.Result{Phases: notLoggedIn, Err: failed(probe.PhaseAuth, probe.ReasonThrottled, 5*time.Minute)},
			schedule.Outcome{Throttled: true, Backoff: 5 * time.Minute},
		},
		"throttled at the greeting": {
			probe.Result{Err: failed(probe.PhaseGreeting, probe.ReasonThrottled, 0)},
			schedule.Outcome{Throttled: true},
		},
		"canceled": {
			probe.Result{Phases: loggedIn, Err: failed(probe.PhaseFetch, probe.ReasonCanceled, 0)},
			schedule.Outcome{LoggedIn: true, Canceled: true},
		},
	} {
		if diff := cmp.Diff(c.want, outcomeOf(&c.result)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
