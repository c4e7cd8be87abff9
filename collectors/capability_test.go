package collectors

import (
	"testing"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

func TestCapabilityLabel(t *testing.T) {
	for name, want := range map[string]string{
		"IMAP4REV1":            "IMAP4REV1",
		"imap4rev2":            "IMAP4REV2",
		"AUTH=PLAIN":           "AUTH=PLAIN",
		"AUTH=XOAUTH2":         "AUTH=XOAUTH2",
		"AUTH=HOMEMADE":        "other",
		"AUTH=":                "other",
		"AUTH":                 "other",
		"X-GM-EXT-1":           "X-GM-EXT-1",
		"XLIST":                "XLIST",
		"XAPPLEPUSHSERVICE":    "XAPPLEPUSHSERVICE",
		"APPENDLIMIT":          "APPENDLIMIT",
		"APPENDLIMIT=35651584": "APPENDLIMIT",
		"RIGHTS=KXTE":          "RIGHTS",
		"IMAPSIEVE=SIEVE://X":  "IMAPSIEVE",
		"STATUS=SIZE":          "STATUS=SIZE",
		"STATUS=EVIL":          "other",
		"QUOTA":                "QUOTA",
		"QUOTA=RES-STORAGE":    "QUOTA=RES-STORAGE",
		"QUOTA=RES-EVIL":       "other",
		"THREAD=REFERENCES":    "THREAD=REFERENCES",
		"THREAD=EVIL":          "other",
		"I18NLEVEL=1":          "I18NLEVEL=1",
		"I18NLEVEL=99":         "other",
		"CONTEXT=SEARCH":       "CONTEXT=SEARCH",
		"X-SECRET-SESSION-ID":  "other",
		"":                     "other",
	} {
		if got := capabilityLabel(name); got != want {
			t.Errorf("capabilityLabel(%q) = %q, want %q", name, got, want)
		}
	}
}

// offered is a Result of an account on serverA that saw these capabilities before authentication.
func offered(name string, at time.Time, names ...string) *probe.Result {
	return &probe.Result{
		Account: name, Server: serverA, Mode: probe.TLSImplicit, Start: at,
		Capabilities: []probe.Capabilities{{Stage: probe.StageBeforeAuth, Names: names}},
	}
}

const changes = `imap_capability_changes_total{server="imap.example.org:993"}`

func TestCapabilityChanges(t *testing.T) {
	m, _ := newTestMetrics(accountA(), account.Account{Name: "b", Server: serverA})
	m.Observe(offered("canary", noon, "IDLE", "IMAP4REV1"))
	m.Observe(offered("b", noon, "IMAP4REV1")) // Another account is another view.
	m.Observe(offered("canary", noon, "IDLE", "IMAP4REV1"))
	scrape(t, m).is(t, changes, 0)
	m.Observe(offered("canary", noon, "IMAP4REV1"))
	scrape(t, m).is(t, changes, 1)

	unreached := &probe.Result{Account: "canary", Server: serverA, Err: &probe.Error{Phase: probe.PhaseConnect, Reason: probe.ReasonRefused}}
	m.Observe(unreached)
	m.Observe(offered("canary", noon, "IMAP4REV1"))
	scrape(t, m).is(t, changes, 1)

	m.Observe(offered("canary", noon, "IMAP4REV1", "X-1"))
	m.Observe(offered("canary", noon, "IMAP4REV1", "X-2")) // Both are called other, but they differ.
	scrape(t, m).is(t, changes, 3)

	starttls := offered("canary", noon, "STARTTLS")
	starttls.Mode = probe.TLSStartTLS
	m.Observe(starttls) // We changed our mode, the server changed nothing.
	s := scrape(t, m)
	s.is(t, changes, 3)
	s.none(t, `^imap_capability_info.*X-`)
}

func TestCapabilityInfoIsTheNewest(t *testing.T) {
	m, c := newTestMetrics(accountA(), account.Account{Name: "b", Server: serverA, Interval: time.Hour})
	m.Observe(offered("b", noon.Add(-time.Minute), "IDLE"))
	m.Observe(offered("canary", noon, "MOVE"))
	s := scrape(t, m)
	s.some(t, `^imap_capability_info.*"MOVE"`, 1)
	s.none(t, `^imap_capability_info.*"IDLE"`)

	c.at = noon.Add(10 * time.Minute) // canary is stuck, b is not.
	s = scrape(t, m)
	s.some(t, `^imap_capability_info.*"IDLE"`, 1)
	s.none(t, `^imap_capability_info.*"MOVE"`)

	m.SetAccounts(registered([]account.Account{{Name: "b", Server: serverA, Interval: time.Hour}}...))
	scrape(t, m).some(t, `^imap_capability_info`, 1)
}
