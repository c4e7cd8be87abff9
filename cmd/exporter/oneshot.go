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

// A oneShot is a one-shot probe: what to probe, and its result afterwards.
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

// limits are how many probes may run at a time, in all and on one server; 0 means the schedule's default.
type limits struct{ concurrent, perServer int }

var errCanceled = errors.New("canceled")

// probeOnce makes the probes, and calls ended for each, in their order. Probes that the end of the command's context prevents
// have errCanceled. The first error of ended ends the rest and is returned.
func probeOnce(cmd *cobra.Command, probes []oneShot, bounds limits, ended func(*oneShot) error) error {
	targets := make([]*probe.Target, len(probes))
	for i := range probes {
		targets[i] = probes[i].target
	}
	return exporter.ProbeOnce(cmd.Context(), targets, exporter.OnceOptions{
		MaxConcurrent: bounds.concurrent, MaxConcurrentPerServer: bounds.perServer,
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
