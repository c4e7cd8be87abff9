package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
	"imap-exporter/internal/exporter"
	"imap-exporter/internal/format"
	"imap-exporter/probe"
)

// newProbe returns a probe of an account that is still to be made. The target is by the account's module or by another one.
func newProbe(a *config.Account, target *probe.Target) format.Probe {
	p := format.Probe{Account: a.Account}
	p.Account.Target, p.Account.Server = target, target.Server
	return p
}

// concurrency is how many probes may run at a time, in all and on one server; 0 means the schedule's default.
type concurrency struct{ total, perServer int }

var errCanceled = errors.New("canceled")

// probeOnce makes the probes, and calls ended for each, in their order. Probes that the end of the command's context prevents
// have errCanceled. The first error of ended ends the rest and is returned.
func probeOnce(cmd *cobra.Command, probes []format.Probe, limits concurrency, ended func(*format.Probe) error) error {
	targets := make([]*probe.Target, len(probes))
	for i := range probes {
		targets[i] = probes[i].Account.Target
	}
	return exporter.ProbeOnce(cmd.Context(), targets, exporter.OnceOptions{
		MaxConcurrent: limits.total, MaxConcurrentPerServer: limits.perServer,
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
