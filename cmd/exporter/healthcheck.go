package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
)

// healthTimeout bounds the wait for the exporter's answer.
const healthTimeout = 5 * time.Second

// newHealthcheckCommand returns the subcommand that checks whether an exporter runs.
func newHealthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Exit with 0 if the exporter with this configuration runs on this machine",
		Long: "healthcheck requests /-/healthy from the exporter, at the address that flags, environment and configuration file\n" +
			"give, and exits with 0 if it answers, else with 1. It is for containers that have no other program for that.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			web, err := config.LoadWeb(config.Options{Flags: cmd.Flags()})
			if err != nil {
				return &configError{err}
			}
			address, err := localAddress(web.ListenAddress)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), healthTimeout)
			defer cancel()
			return checkHealth(ctx, address, web.ConfigFile != "")
		},
	}
}

// localAddress returns the address at which this machine reaches a listener of its own.
func localAddress(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if port == "0" {
		return "", errors.New("the exporter listens on a port that it chooses itself, and which one is not known")
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port), nil
}

// checkHealth sends one request, with TLS first if the web configuration may enable it. It accepts any certificate: it sends no
// secret, and the certificate is for a public name rather than for localhost. An exporter that asks for a password is healthy.
func checkHealth(ctx context.Context, address string, tryTLS bool) error {
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // See above.
	}
	schemes := []string{"http"}
	if tryTLS {
		schemes = []string{"https", "http"}
	}
	var errs []error
	for _, scheme := range schemes {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+address+"/-/healthy", nil)
		if err != nil {
			return err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			errs = append(errs, fmt.Errorf("not healthy: %w", err))
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusUnauthorized {
			return nil
		}
		errs = append(errs, fmt.Errorf("not healthy: %s answers %s", request.URL, response.Status))
	}
	return errors.Join(errs...)
}
