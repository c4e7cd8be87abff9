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

// healthTimeout is how long the exporter has to answer.
const healthTimeout = 5 * time.Second

// newHealthcheckCommand returns the subcommand that asks a running exporter whether it is healthy.
func newHealthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Exit with 0 if an exporter on this machine, with this configuration, answers",
		Long: "healthcheck asks /-/healthy of the exporter that listens where the flags, the environment and the configuration\n" +
			"file say, and exits with 0 if it answers, else with 1. It is for containers, which have no other program to ask with.",
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

// localAddress returns where to reach on this machine what listens there.
func localAddress(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if port == "0" {
		return "", errors.New("the exporter listens on a port that it chooses itself: nobody knows which")
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port), nil
}

// checkHealth asks once, by TLS first where there may be TLS. It sends nothing secret and learns nothing of worth, so any
// certificate will do: the one in use is for another name than this machine's own. An exporter that wants a password is
// healthy enough.
func checkHealth(ctx context.Context, address string, mayBeTLS bool) error {
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // See above.
	}
	schemes := []string{"http"}
	if mayBeTLS {
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
