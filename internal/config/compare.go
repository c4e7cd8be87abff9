package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"reflect"
	"slices"
)

// same reports whether two accounts have the same configuration. It compares the content of certificate files, but only the
// paths of secret files, since those are read again before each login.
func (a *Account) same(b *Account) bool {
	s, t := *a.Target, *b.Target
	s.Secret, t.Secret = nil, nil
	s.TLSConfig, t.TLSConfig = nil, nil
	return a.Interval == b.Interval && a.RetryInterval == b.RetryInterval && a.Module == b.Module && a.secret == b.secret &&
		slices.Equal(a.probeModules, b.probeModules) && maps.Equal(a.Labels, b.Labels) && sameTLS(a.Target.TLSConfig, b.Target.TLSConfig) && reflect.DeepEqual(s, t)
}

// sameTLS compares the fields that tlsConfig and withServer set.
func sameTLS(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ServerName == b.ServerName && a.MinVersion == b.MinVersion && a.InsecureSkipVerify == b.InsecureSkipVerify &&
		sameRoots(a.RootCAs, b.RootCAs) && sameCertificates(a, b)
}

// sameCertificates compares client certificates.
func sameCertificates(a, b *tls.Config) bool {
	return slices.EqualFunc(a.Certificates, b.Certificates, func(c, d tls.Certificate) bool {
		return slices.EqualFunc(c.Certificate, d.Certificate, bytes.Equal)
	})
}

// sameRoots compares pools; nil, the system's roots, equals nil only.
func sameRoots(a, b *x509.CertPool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}

// Changes are the names of accounts that differ between two configurations, each sorted.
type Changes struct {
	Added, Removed, Changed []string
}

// Diff returns which accounts differ between before and c.
func (c *Config) Diff(before *Config) Changes {
	old := make(map[string]*Account, len(before.Accounts))
	for i := range before.Accounts {
		old[before.Accounts[i].Name] = &before.Accounts[i]
	}
	var d Changes
	for i := range c.Accounts {
		a := &c.Accounts[i]
		name := a.Name
		switch b := old[name]; {
		case b == nil:
			d.Added = append(d.Added, name)
		case !a.same(b):
			d.Changed = append(d.Changed, name)
		}
		delete(old, name)
	}
	d.Removed = slices.Sorted(maps.Keys(old))
	slices.Sort(d.Added)
	slices.Sort(d.Changed)
	return d
}

// NeedRestart returns the keys of settings that differ from those of before and take effect only at the next start.
func (c *Config) NeedRestart(before *Config) []string {
	var keys []string
	for _, s := range settings() {
		if s.needsRestart && !reflect.DeepEqual(s.get(c), s.get(before)) {
			keys = append(keys, s.key)
		}
	}
	return keys
}
