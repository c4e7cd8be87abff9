package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"imap-exporter/internal/text"
	"imap-exporter/internal/wire"
)

// A reasonError is an error that says its reason.
type reasonError struct {
	reason Reason
	error
}

func (e *reasonError) Unwrap() error { return e.error }

// Errorf is [fmt.Errorf] for an error whose reason is known.
func Errorf(reason Reason, format string, args ...any) error {
	return &reasonError{reason, fmt.Errorf(format, args...)}
}

// newError makes the probe's one Error of err.
func (s *Session) newError(phase Phase, err error) *Error {
	if s.parent.Err() != nil {
		err = wire.ErrCanceled
	}
	e := &Error{Phase: phase, Reason: reason(phase, err), Err: err, Text: err.Error()}
	switch {
	case e.Reason == ReasonThrottled:
		e.Backoff = backoff(e.Text)
	case e.Reason == ReasonTimeout && phase == PhaseConnect:
		e.Text = "no answer from " + strings.Join(s.addresses, ", ")
	case e.Reason == ReasonTimeout:
		e.Text = fmt.Sprintf("no complete answer within the timeout of %v", s.Target.Timeout)
	case e.Reason == ReasonReset:
		e.Text = "the server closed the connection"
	}
	if s.Conn == nil && errors.Is(err, errPanic) {
		e.Text = errPanic.Error() // What else it says may be secret, and nothing can tell yet.
	}
	if s.Conn == nil {
		e.Text = text.Printable(e.Text, wire.MaxText)
		return e
	}
	if s.remark != "" {
		e.Text += "; before that it said " + s.remark
	}
	e.Text = s.Conn.Clean(e.Text)
	return e
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
	case errors.As(err, &dns) && dns.IsTimeout:
		return ReasonTimeout
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
	{ReasonInternal, []error{errPanic, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL}},
	{ReasonCanceled, []error{wire.ErrCanceled, context.Canceled}},
	{ReasonTooLarge, []error{wire.ErrTooLarge}},
	{ReasonStartTLSInjection, []error{wire.ErrInjection}},
	{ReasonProtocol, []error{wire.ErrProtocol}},
	{ReasonTimeout, []error{os.ErrDeadlineExceeded, context.DeadlineExceeded, syscall.ETIMEDOUT}},
	{ReasonRefused, []error{syscall.ECONNREFUSED}},
	{ReasonUnreachable, []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EACCES, syscall.EPERM}},
	{ReasonReset, []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, io.EOF, io.ErrUnexpectedEOF}},
}

// certificateReason is what is wrong with a certificate, "" if err isn't about one.
func certificateReason(err error) Reason {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return ReasonCertificateNotYetValid
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ReasonCertificateExpired
	case errors.As(err, &name):
		return ReasonCertificateName
	case errors.As(err, &authority), errors.As(err, &invalid):
		return ReasonCertificateUntrusted
	}
	return ""
}
