package probe

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// hint is what to do about a failure, where that can be told; "" elsewhere.
func (s *Session) hint(e *Error) string {
	var record tls.RecordHeaderError
	known, _ := errors.AsType[*reasonError](e.Err)
	mode := s.Target.TLSMode
	switch {
	case known != nil && known.hint != "":
		return known.hint
	case e.Reason == ReasonCertificateUntrusted && HasNoAuthorities(s.Target.TLSConfig):
		return "no certificate authorities were found on this machine: install ca-certificates, or set ca_file"
	case mode == TLSImplicit && e.Phase == PhaseTLS && errors.As(e.Err, &record) && isClearText(record.RecordHeader):
		return "the server speaks clear text on this port: likely tls: starttls, or tls: none"
	case mode != TLSImplicit && e.Phase == PhaseGreeting && e.Reason == ReasonTimeout && s.receivedNothing():
		return "if this port expects TLS from the start, as 993 does, use tls: implicit"
	case e.Phase == PhaseConnect && errors.Is(e.Err, syscall.EINVAL) && slices.ContainsFunc(s.addresses, isLinkLocal):
		return "a link-local address can't be reached by a name"
	}
	return ""
}

// isClearText reports whether what came instead of a TLS record is printable, as a greeting is.
func isClearText(header [5]byte) bool {
	return !slices.ContainsFunc(header[:], func(b byte) bool { return b < ' ' || b > '~' })
}

// receivedNothing reports whether the server has sent no byte yet.
func (s *Session) receivedNothing() bool {
	return s.socket != nil && !s.socket.Received().After(s.opened)
}

func isLinkLocal(address string) bool {
	ap, err := netip.ParseAddrPort(address)
	return err == nil && ap.Addr().IsLinkLocalUnicast()
}
