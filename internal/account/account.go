// Package account is what all parts of the exporter know of an account: its configuration, and its state in the schedule.
package account

import (
	"cmp"
	"strings"
	"time"

	"imap-exporter/probe"
)

// A Key names one service of an account. No two Accounts have the same.
type Key struct {
	Account string
	// Service is the name of the protocol.
	Service string
}

// Job returns the name of the key's job in the schedule. It decides when the account is probed, so for IMAP it stays the name
// of the account alone.
func (k Key) Job() string {
	if k.Service == probe.IMAP.Name {
		return k.Account
	}
	return k.Account + "\x00" + k.Service
}

// compare orders keys by account, then by service.
func (k Key) compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Account, other.Account), cmp.Compare(k.Service, other.Service))
}

// An Account is one service of a configured account: what to probe, and when.
type Account struct {
	// Name and Server are the labels account and server: the configured name, and host:port.
	Name   string
	Server string
	// Target is where and how to probe.
	Target *probe.Target
	// Interval is the time between two probes; 0 means only on demand.
	Interval time.Duration
	// RetryInterval is used instead of Interval while probes fail. Unless configured, it equals Interval.
	RetryInterval time.Duration
	// Module is the name of the account's module.
	Module string
	// Labels are extra labels of the metric imap_account_info.
	Labels map[string]string
	// Fingerprint reads the secret and returns a keyed hash of it. The key is random for each process, so the hash reveals
	// nothing about the secret. It is "" if there is no secret, or if it can't be read.
	Fingerprint func() string
}

// Protocol returns what the account's server speaks.
func (a *Account) Protocol() *probe.Protocol {
	if a.Target == nil {
		return probe.IMAP
	}
	return probe.OrIMAP(a.Target.Protocol)
}

// Key returns the account's key.
func (a *Account) Key() Key { return Key{a.Name, a.Protocol().Name} }

// KeyOf returns the key of the account that was probed.
func KeyOf(r *probe.Result) Key { return Key{r.Account, probe.OrIMAP(r.Protocol).Name} }

// staleIntervals is how many intervals after its beginning the last Result is stale.
const staleIntervals = 3

// StaleAfter returns when the Result of a probe that began at start is stale, because the probes that were due since then are
// missing. It is zero for an account that is only probed on demand, whose Results are never stale.
func (a *Account) StaleAfter(start time.Time) time.Time {
	if a.Interval <= 0 {
		return time.Time{}
	}
	return start.Add(staleIntervals * a.Interval)
}

// ReservedLabel reports whether an account can't have a label of this name, because Prometheus or the exporter's own metrics
// use it.
func ReservedLabel(name string) bool {
	switch name {
	case "account", "server", "job", "instance", "le":
		return true
	default:
		return strings.HasPrefix(name, "__")
	}
}
