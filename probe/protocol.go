package probe

import (
	"cmp"
	"context"
	"errors"
)

// A Protocol is what a probe speaks with a kind of server. It is never changed once made.
type Protocol struct {
	// Name is in lower case: the prefix of the metrics' names, and the name of the service, "imap".
	Name string
	// Phases are all phases that its probes may go through, in order. Those before the greeting are common to all protocols.
	Phases []Phase
	// Reasons are all reasons for which its probes may fail.
	Reasons []Reason
	// Steps makes the steps of one probe, in order. What they share during the probe lives in what Steps makes.
	Steps func(*Session) []Step
	// LogoutLine makes the line that is sent, without waiting for its answer, when a conversation was interrupted or timed
	// out. Nil: the connection is closed without a word.
	LogoutLine func() string
}

// A Step is one part of a probe.
type Step struct {
	// Phase is what its time counts for, and where the probe has failed if it fails. Several steps may belong to one phase.
	Phase Phase
	// Run does the step. It returns nil at once where neither Target nor server asks for it, and ErrDone if no further step
	// is to follow. Any other error ends the probe: [Errorf] gives it a reason.
	Run func(context.Context) error
	// AtEnd makes it a step for the end of each probe, failed or not, whose conversation still goes on, such as LOGOUT. It has
	// two seconds, and never fails the probe.
	AtEnd bool
}

// ErrDone is returned by a Step after which the probe has succeeded, though there are more.
var ErrDone = errors.New("the probe is complete")

// OrIMAP returns p, or the protocol of Targets and Results that name none: IMAP.
func OrIMAP(p *Protocol) *Protocol { return cmp.Or(p, IMAP) }
