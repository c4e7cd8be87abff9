package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The functions of this file parse the texts of settings. Their errors say what to write instead, and don't repeat the text.

func oneOf[T ~string](allowed ...T) func(string) (T, error) {
	return func(text string) (T, error) {
		if !slices.Contains(allowed, T(text)) {
			return "", errors.New("must be one of " + join(allowed))
		}
		return T(text), nil
	}
}

func wholeNumber(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("must be a whole number from %d to %d", least, most)
		}
		return n, nil
	}
}

func parseBool(text string) (bool, error) {
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, errors.New("must be true or false")
	}
	return value, nil
}

func isListenAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	_, portErr := strconv.ParseUint(port, 10, 16)
	return err == nil && portErr == nil
}

func parseListenAddress(text string) (string, error) {
	if !isListenAddress(text) {
		return "", errors.New("must be host:port or :port, with a port from 0 to 65535")
	}
	return text, nil
}

// parseLoopbackAddress accepts a host:port that only this machine can reach, or "".
func parseLoopbackAddress(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	host, _, err := net.SplitHostPort(text)
	ip, ipErr := netip.ParseAddr(host)
	if err != nil || !isListenAddress(text) || host != "localhost" && (ipErr != nil || !ip.IsLoopback()) {
		return "", errors.New("must be host:port on loopback, such as localhost:10994")
	}
	return text, nil
}

// parseHosts returns a list of host names and addresses, in lower case.
func parseHosts(text string) ([]string, error) {
	var hosts []string
	for host := range strings.SplitSeq(text, ",") {
		if host = strings.ToLower(strings.TrimSpace(host)); host == "" {
			continue
		}
		if !isHostName(host) && !isAddress(host) {
			return nil, errors.New("must be host names and addresses, without port")
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			host = ip.String() // An IPv6 address has many spellings.
		}
		hosts = append(hosts, strings.TrimSuffix(host, "."))
	}
	return hosts, nil
}

// parseURL returns the address of a web site without a slash at its end, or "".
func parseURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("must be an address such as https://prometheus.example.org, without user, password, ? or #")
	}
	return strings.TrimRight(text, "/"), nil
}

// parseWebConfigPath accepts the path of a web configuration that can be read, with all files that it names, or "".
func parseWebConfigPath(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return path, CheckWebFiles(path)
}
