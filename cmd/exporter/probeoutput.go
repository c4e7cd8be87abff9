package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"imap-exporter/internal/format"
)

// The formats of the command probe.
const (
	formatText   = "text"
	formatJSON   = "json"
	formatProm   = "prom"
	formatNagios = "nagios"
)

// A probeOutput writes probes in one format.
type probeOutput struct {
	// each writes a probe as soon as it and those before it have ended.
	each func(format.Probe) error
	// all writes all probes at the end. Its error has the exit status.
	all func([]format.Probe) error
}

// newProbeOutput returns the output that the flags ask for.
func (f *probeFlags) newProbeOutput(cmd *cobra.Command) (out probeOutput, err error) {
	w := cmd.OutOrStdout()
	style, err := styleFor(w, f.color)
	if err != nil {
		return out, err
	}
	warning, err := format.ParseThresholds(f.warning)
	if err != nil {
		return out, fmt.Errorf("--warning: %w", err)
	}
	critical, err := format.ParseThresholds(f.critical)
	if err != nil {
		return out, fmt.Errorf("--critical: %w", err)
	}
	if f.format != formatNagios && len(warning)+len(critical) > 0 {
		return out, errors.New("--warning and --critical are for -o nagios")
	}
	out.each = func(format.Probe) error { return nil }
	switch f.format {
	case formatText:
		separator := ""
		out.each = func(p format.Probe) error {
			fmt.Fprint(w, separator)
			separator = "\n"
			return format.Text(w, p, style, f.transcript)
		}
		out.all = statusOfProbes
	case formatJSON:
		out.all = func(probes []format.Probe) error {
			return cmp.Or(format.JSON(w, probes, f.transcript), statusOfProbes(probes))
		}
	case formatProm:
		out.all = func(probes []format.Probe) error {
			return cmp.Or(format.Prometheus(w, probes), statusOfProbes(probes))
		}
	case formatNagios:
		out.all = func(probes []format.Probe) error {
			state, err := format.Nagios(w, probes, warning, critical)
			if err != nil { // Whoever reads the status alone must not take it for a state that was measured.
				return withStatus(int(format.NagiosUnknown), err)
			}
			return exitWith(int(state))
		}
	default:
		return out, errors.New("--output: must be " + strings.Join([]string{formatText, formatJSON, formatProm, formatNagios}, ", "))
	}
	return out, nil
}

// statusOfProbes returns the exit status of the formats other than Nagios'.
func statusOfProbes(probes []format.Probe) error {
	if slices.ContainsFunc(probes, func(p format.Probe) bool { return !p.OK() }) {
		return exitWith(statusFailed)
	}
	return nil
}
