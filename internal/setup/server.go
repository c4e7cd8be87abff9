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

// A candidate is a server that may be the right one.
type candidate struct {
	// server is a host or host:port.
	server string
	mode   probe.TLSMode
	// foreign says that DNS named a host outside the address's domain. DNS can be forged, so that the user must agree
	// before the password goes there (RFC 6186, section 6).
	foreign bool
}

// findServer returns the first candidate that speaks IMAP over TLS with a certificate for its name. It sends no
// credential.
func (s *Setup) findServer(ctx context.Context) (candidate, error) {
	candidates, err := s.candidates(ctx)
	if err != nil {
		return candidate{}, err
	}
	for _, c := range candidates {
		account := s.adHoc(c)
		account.Auth, account.Timeout = string(probe.AuthNone), tryTimeout
		a, _, err := account.Account()
		if err != nil {
			return candidate{}, err
		}
		r := s.Probe(ctx, a.Target)
		if r.Err == nil {
			s.User.Say("%s, %s: ok", a.Target.Server, modeInWords(c.mode))
			return c, s.confirm(c)
		}
		s.User.Say("%s, %s: %s/%s: %s", a.Target.Server, modeInWords(c.mode), r.Err.Phase, r.Err.Reason, r.Err.Text)
		if err := ctx.Err(); err != nil {
			return candidate{}, err
		}
	}
	return candidate{}, errors.New("no server was found that speaks IMAP over TLS: name it with --server, and its authority with --ca-file if it has one of its own")
}

func modeInWords(mode probe.TLSMode) string {
	if mode == probe.TLSStartTLS {
		return "STARTTLS"
	}
	return "TLS"
}

// confirm asks whether a foreign server is right.
func (s *Setup) confirm(c candidate) error {
	if !c.foreign {
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

// adHoc describes an account there, without a login.
func (s *Setup) adHoc(c candidate) config.AdHoc {
	return config.AdHoc{Server: c.server, TLS: string(c.mode), CAFile: s.CAFile, Demo: s.Demo}
}

// candidates returns what to try, the likeliest first.
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
		all = s.fromDNS(ctx, domain, modes)
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

// fromDNS returns what SRV records say (RFC 6186): _imaps for TLS from the first byte, _imap for STARTTLS, each in the
// order of the records' priorities. The target "." means that there is no such service.
func (s *Setup) fromDNS(ctx context.Context, domain string, modes []probe.TLSMode) (all []candidate) {
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
				foreign: host != domain && !strings.HasSuffix(host, "."+domain),
			})
		}
	}
	return all
}
