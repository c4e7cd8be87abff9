// Package output writes probes that were made once, for those who read or call the command line: as text, JSON, metrics,
// or a line for Nagios. docs/command-line.md has examples; the JSON is a promise.
package output

import (
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/common/expfmt"

	"imap-exporter/collectors"
	"imap-exporter/internal/waterfall"
	"imap-exporter/probe"
)

// A Probe is one probe of one account.
type Probe struct {
	Account collectors.Account
	// Result is nil when there was no probe.
	Result *probe.Result
	// Err is why Result is nil.
	Err error
}

// OK reports whether the probe was made, and succeeded.
func (p *Probe) OK() bool { return p.Result != nil && p.Result.OK() }

// Text writes a waterfall, and the conversation if it is wanted.
func Text(w io.Writer, p Probe, style waterfall.Style, transcript bool) error {
	if p.Result == nil {
		_, err := fmt.Fprintf(w, "%s  %s  not probed: %v\n", p.Account.Name, p.Account.Server, p.Err)
		return err
	}
	text := []string{waterfall.Of(p.Result).Text(style)}
	if transcript {
		text = append(text, "\n", waterfall.Transcript(p.Result))
		for _, note := range p.Result.Notes {
			text = append(text, "  note: "+note+"\n")
		}
	}
	_, err := io.WriteString(w, strings.Join(text, ""))
	return err
}

// Summary writes a probe in a line.
func Summary(w io.Writer, p Probe) error {
	var outcome, detail string
	switch {
	case p.Result == nil:
		outcome, detail = "FAILED", p.Err.Error()
	case p.Result.Err != nil:
		outcome, detail = "FAILED", fmt.Sprintf("%s/%s: %s", p.Result.Err.Phase, p.Result.Err.Reason, p.Result.Err.Text)
	default:
		outcome, detail = "ok", waterfall.Milliseconds(p.Result.Duration)
	}
	_, err := fmt.Fprintf(w, "%-6s  %s  %s  %s\n", outcome, p.Account.Name, p.Account.Server, detail)
	return err
}

// Prometheus writes the metrics that /probe answers with.
func Prometheus(w io.Writer, probes []Probe) error {
	var shown []collectors.OnDemand
	for _, p := range probes {
		if p.Result != nil {
			shown = append(shown, collectors.OnDemand{Account: p.Account, Result: p.Result})
		}
	}
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range collectors.Gather(shown...) {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}
