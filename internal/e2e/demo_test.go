package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// shipped is the configuration that comes with the program.
const shipped = "../../config.yaml"

// Each account of the shipped configuration has the outcome that it is there to show. No output has a password, not even at debug.
func TestShippedConfiguration(t *testing.T) {
	t.Parallel()
	e := startDebug(t, shipped)
	var metrics string
	var page []byte
	for _, want := range []string{
		`imap_probe_success{account="demo-healthy",server="demo:993"} 1`,
		`imap_probe_success{account="demo-slow",server="demo-slow:993"} 1`,
		`imap_probe_success{account="demo-quota",server="demo-quota:993"} 1`,
		`imap_probe_success{account="demo-growing",server="demo-growing:993"} 1`,
		`imap_probe_success{account="demo-starttls",server="demo-starttls:143"} 1`,
		`imap_probe_success{account="demo-certificate",server="demo-certificate:993"} 1`,
		`imap_probe_success{account="demo-rejected",server="demo-rejected:993"} 0`,
		`imap_probe_last_failure_info{account="demo-rejected",phase="auth",reason="rejected",server="demo-rejected:993"} 1`,
		`imap_probe_last_phase_duration_seconds{account="demo-quota",phase="resolve",server="demo-quota:993"} `,
		`imap_probe_last_phase_duration_seconds{account="demo-quota",phase="quota",server="demo-quota:993"} `,
		`imap_probe_last_phase_duration_seconds{account="demo-starttls",phase="starttls",server="demo-starttls:143"} `,
		`imap_probe_last_phase_duration_seconds{account="demo-healthy",phase="logout",server="demo:993"} `,
		`imap_quota_storage_used_bytes{account="demo-quota",`,
		`imap_mailbox_messages{account="demo-healthy",mailbox="INBOX",`,
		`imap_mailbox_size_bytes{account="demo-quota",mailbox="INBOX",`,
		`imap_tls_certificate_not_after_timestamp_seconds{account="demo-certificate",`,
	} {
		if !await(func() bool {
			metrics = e.metrics(t)
			return strings.Contains(metrics, want)
		}) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if !await(func() bool {
		_, page = get(t, http.MethodGet, e.URL+"/", "")
		return strings.Contains(string(page), "auth/rejected")
	}) {
		t.Error("the landing page doesn't show the rejected account")
	}

	e.Stop(t)
	if !strings.Contains(e.Log.String(), "msg=Transcript account=demo-rejected") {
		t.Error("the failed conversation is not in the log")
	}
	assertNoLeak(t, "the log", []byte(e.Log.String()))
	assertNoLeak(t, "/metrics", []byte(metrics))
	assertNoLeak(t, "/", page)
}
