package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"imap-exporter/collectors"
	"imap-exporter/internal/config"
	"imap-exporter/internal/exporter"
	"imap-exporter/internal/format"
	"imap-exporter/probe"
)

// A oneShot is a probe to make once, and then what came of it.
type oneShot struct {
	format.Probe
	target *probe.Target
}

func newOneShot(a *config.Account, target *probe.Target) oneShot {
	return oneShot{
		Probe: format.Probe{Account: collectors.Account{
			Name: target.Account, Server: target.Server, Interval: a.Interval, Labels: a.Labels,
		}},
		target: target,
	}
}

// bounds are how many probes run at a time; 0 leaves the choice to the schedule.
type bounds struct{ concurrent, perServer int }

var errCanceled = errors.New("canceled")

// probeOnce makes the probes, and calls ended for each, in their order. What the end of the command's context leaves undone
// has errCanceled. It returns ended's first error.
func probeOnce(cmd *cobra.Command, probes []oneShot, limits bounds, ended func(*oneShot) error) error {
	targets := make([]*probe.Target, len(probes))
	for i := range probes {
		targets[i] = probes[i].target
	}
	return exporter.ProbeOnce(cmd.Context(), targets, exporter.OnceOptions{
		MaxConcurrent: limits.concurrent, MaxConcurrentPerServer: limits.perServer,
		Ended: func(i int, result *probe.Result) error {
			if probes[i].Result = result; result == nil {
				probes[i].Err = errCanceled
			}
			return ended(&probes[i])
		},
		Warn: func(err error) {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: times may be less true on a busy machine: %v\n", err)
		},
	})
}
