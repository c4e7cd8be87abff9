package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"imap-exporter/internal/text"
	"imap-exporter/internal/wire"
)

// A reasonError is an error that says its reason.
type reasonError struct {
	reason Reason
	error
	hint string // what to do about it
}

func (e *reasonError) Unwrap() error { return e.error }

// Errorf is [fmt.Errorf] for an error whose reason is known.
func Errorf(reason Reason, format string, args ...any) error {
	return &reasonError{reason: reason, error: fmt.Errorf(format, args...)}
}

// newError makes the probe's one Error of err.
func (s *Session) newError(phase Phase, err error) *Error {
	if s.parent.Err() != nil {
		err = wire.ErrCanceled
	}
	e := &Error{Phase: phase, Reason: reason(phase, err), Err: err}
	e.Text = s.errorText(e)
	if e.Reason == ReasonThrottled || e.Reason == ReasonUnavailable {
		e.Backoff = backoff(e.Text)
	}
	if s.Conn != nil && s.remark != "" {
		e.Text += "; before that it said " + s.remark
	}
	hint := s.hint(e)
	if hint != "" {
		hint = "; " + hint
	}
	e.Text = text.Printable(s.redact(e.Text), wire.MaxText-len(hint)) + hint
	return e
}

// errorText is what happened, in the server's own words or ours.
func (s *Session) errorText(e *Error) string {
	_, explained := errors.AsType[*reasonError](e.Err)
	switch {
	case s.Conn == nil && errors.Is(e.Err, errPanic):
		return errPanic.Error() // What else it says may be secret, and nothing can tell yet.
	case explained:
	case e.Reason == ReasonTimeout && e.Phase == PhaseConnect:
		return "no answer from " + strings.Join(s.addresses, ", ")
	case e.Reason == ReasonTimeout:
		return fmt.Sprintf("no complete answer within the timeout of %v", s.Target.Timeout)
	case e.Reason == ReasonReset:
		return "the server closed the connection"
	}
	return e.Err.Error()
}

// redact blanks secrets in text, once it is known what is secret.
func (s *Session) redact(text string) string {
	if s.Conn == nil {
		return text
	}
	return s.Conn.Redact(text)
}

// reason is the reason for err.
func reason(phase Phase, err error) Reason {
	if known, ok := errors.AsType[*reasonError](err); ok {
		return known.reason
	}
	for _, k := range knownErrors {
		if slices.ContainsFunc(k.errs, func(target error) bool { return errors.Is(err, target) }) {
			return k.reason
		}
	}
	if r := certificateReason(err); r != "" {
		return r
	}
	var dns *net.DNSError
	var op *net.OpError
	var record tls.RecordHeaderError
	switch {
	case phase == PhaseConnect && noRoute(err):
		return ReasonUnreachable
	case errors.As(err, &dns):
		return ReasonDNS
	case phase == PhaseTLS, errors.As(err, &record):
		return ReasonTLS
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		// crypto/tls words alerts so. With TLS 1.3 a refused client certificate shows only when the greeting is due.
		return ReasonTLS
	}
	return ReasonInternal
}

// knownErrors are errors of the system and of package wire, the most telling first.
var knownErrors = []struct {
	reason Reason
	errs   []error
}{
	{ReasonInternal, []error{errPanic, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS}},
	{ReasonCanceled, []error{wire.ErrCanceled, context.Canceled}},
	{ReasonTooLarge, []error{wire.ErrTooLarge}},
	{ReasonStartTLSInjection, []error{wire.ErrInjection}},
	{ReasonProtocol, []error{wire.ErrProtocol}},
	{ReasonTimeout, []error{os.ErrDeadlineExceeded, context.DeadlineExceeded, syscall.ETIMEDOUT}},
	{ReasonRefused, []error{syscall.ECONNREFUSED}},
	{ReasonUnreachable, []error{
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EAFNOSUPPORT, syscall.EACCES, syscall.EPERM,
	}},
	{ReasonReset, []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, io.EOF, io.ErrUnexpectedEOF}},
}
