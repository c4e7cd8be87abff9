// Package format shows a probe to people and to the programs that call the command line: as text with a waterfall, as
// JSON, as metrics, as the line of a Nagios plugin. docs/command-line.md has examples. The JSON is a promise: keys may
// be added, and none changes.
package format

import (
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"imap-exporter/collectors"
	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// A Probe is one probe of one account.
type Probe struct {
	Account account.Account
	// Result is nil when there was no probe.
	Result *probe.Result
	// Err is why Result is nil.
	Err error
}

// OK reports whether the probe was made and succeeded.
func (p *Probe) OK() bool { return p.Result != nil && p.Result.OK() }

// Prometheus writes the metrics with which /probe answers, of all accounts that were probed.
func Prometheus(w io.Writer, probes []Probe) error {
	var probed []collectors.OnDemand
	for _, p := range probes {
		if p.Result != nil {
			probed = append(probed, collectors.OnDemand{Account: p.Account, Result: p.Result})
		}
	}
	return Metrics(w, collectors.Gather(probed...))
}

// Metrics writes metrics in Prometheus' text format.
func Metrics(w io.Writer, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}
