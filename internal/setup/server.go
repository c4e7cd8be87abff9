package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"imap-exporter/internal/config"
	"imap-exporter/probe"
)

// A candidate is a server that may be the one of the account.
type candidate struct {
	// server is a host or host:port.
	server string
	mode   probe.TLSMode
	// otherDomain is true if an SRV record names a host outside the domain of the address. DNS can be forged, so the user must
	// confirm the host before it gets the password (RFC 6186, section 6).
	otherDomain bool
}

// findServer returns the first candidate that speaks IMAP over TLS with a valid certificate. It sends no credential.
func (s *Setup) findServer(ctx context.Context) (candidate, error) {
	candidates, err := s.candidates(ctx)
	if err != nil {
		return candidate{}, err
	}
	for _, c := range candidates {
		account := s.adHoc(c)
		account.Auth, account.Timeout = string(probe.AuthNone), discoveryTimeout
		a, _, err := account.Account()
		if err != nil {
			return candidate{}, err
		}
		r := s.Probe(ctx, a.Target)
		if r.Err == nil {
			s.User.Say("%s, %s: ok", a.Target.Server, modeText(c.mode))
			return c, s.confirm(c)
		}
		s.User.Say("%s, %s: %s/%s: %s", a.Target.Server, modeText(c.mode), r.Err.Phase, r.Err.Reason, r.Err.Text)
		if err := ctx.Err(); err != nil {
			return candidate{}, err
		}
	}
	return candidate{}, errors.New("no server was found that speaks IMAP over TLS: name it with --server, and its CA certificate with --ca-file if it has a private CA")
}

func modeText(mode probe.TLSMode) string {
	if mode == probe.TLSStartTLS {
		return "STARTTLS"
	}
	return "TLS"
}

// confirm asks whether a server in another domain may get the password.
func (s *Setup) confirm(c candidate) error {
	if !c.otherDomain {
		return nil
	}
	host, _, _ := net.SplitHostPort(c.server)
	answer, err := s.User.Ask(fmt.Sprintf("DNS names %s, which is not in %s. Send the password there (yes, no)", host, domainOf(s.Address)), "no")
	if err != nil {
		return err
	}
	if a := strings.ToLower(answer); a != "yes" && a != "y" {
		return errors.New("name the right server with --server")
	}
	return nil
}

// adHoc returns an account on the candidate, without a login.
func (s *Setup) adHoc(c candidate) config.AdHoc {
	return config.AdHoc{Server: c.server, TLS: string(c.mode), CAFile: s.CAFile, Demo: s.Demo}
}

// candidates returns the servers to try, the likeliest first.
func (s *Setup) candidates(ctx context.Context) ([]candidate, error) {
	modes := []probe.TLSMode{probe.TLSImplicit, probe.TLSStartTLS}
	switch mode := probe.TLSMode(s.TLS); mode {
	case "":
		if _, port, err := net.SplitHostPort(s.Server); err == nil && port == "143" {
			modes = []probe.TLSMode{probe.TLSStartTLS, probe.TLSImplicit}
		}
	case probe.TLSImplicit, probe.TLSStartTLS:
		modes = []probe.TLSMode{mode}
	default:
		return nil, errors.New("--tls: must be implicit or starttls: a password must not cross the network in clear text")
	}
	hosts := []string{s.Server}
	var all []candidate
	if s.Server == "" {
		domain := domainOf(s.Address)
		all = s.lookUpSRV(ctx, domain, modes)
		hosts = []string{"imap." + domain, "mail." + domain, domain}
	}
	if len(all) > 0 {
		return all, nil
	}
	for _, host := range hosts {
		for _, mode := range modes {
			all = append(all, candidate{server: host, mode: mode})
		}
	}
	return all, nil
}

// lookUpSRV returns the servers in SRV records (RFC 6186): those of _imaps for implicit TLS, those of _imap for
// STARTTLS, each in the order of their priorities. The target "." means that the domain has no such service.
func (s *Setup) lookUpSRV(ctx context.Context, domain string, modes []probe.TLSMode) (all []candidate) {
	for _, mode := range modes {
		service := "imaps"
		if mode == probe.TLSStartTLS {
			service = "imap"
		}
		_, records, err := s.Resolver.LookupSRV(ctx, service, "tcp", domain)
		if err != nil {
			continue // Most domains have none.
		}
		for _, r := range records {
			host := strings.ToLower(strings.TrimSuffix(r.Target, "."))
			if host == "" {
				continue
			}
			all = append(all, candidate{
				server: net.JoinHostPort(host, strconv.Itoa(int(r.Port))), mode: mode,
				otherDomain: host != domain && !strings.HasSuffix(host, "."+domain),
			})
		}
	}
	return all
}
