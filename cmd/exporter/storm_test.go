package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"imap-exporter/internal/mailtest"
)

const (
	stormAccounts = 20
	stormInterval = 2 * time.Second
)

// A stormFile is a configuration file that is rewritten over and over.
type stormFile struct{ folder, server string }

// write puts the file in place at once, as editors do.
func (f stormFile) write(text string) error {
	path := filepath.Join(f.folder, "config.yaml")
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// text returns a valid configuration of the accounts that stay, with this timeout, followed by more.
func (f stormFile) text(timeout, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "max_concurrent_per_server: 50\nmodules:\n  - {name: quick, interval: %s, timeout: %s, tls: none, auth: login, allow_plaintext_auth: true}\naccounts:\n",
		stormInterval, timeout)
	for i := range stormAccounts {
		b.WriteString(f.account(fmt.Sprintf("stays-%d", i)))
	}
	return b.String() + more
}

func (f stormFile) account(name string) string {
	return fmt.Sprintf("  - {name: %s, server: %q, username: %s, password: %s, module: quick}\n",
		name, f.server, mailtest.DemoUser, mailtest.DemoPassword)
}

// good returns the kinds of good configuration.
func (f stormFile) good() []string {
	return []string{
		f.text("2s", ""),
		f.text("2s", f.account("comes")+f.account("goes")),
		f.text("1900ms", f.account("comes")),
		f.text("1900ms", "  - {name: labelled, server: \"127.0.0.1:1\", username: u, password: canary-storm-secret, module: quick, labels: {team: mail}}\n"),
	}
}

// A fault makes a configuration bad, and is in its message.
type fault struct {
	put     func() error
	message string
}

// bad returns the kinds of bad configuration.
func (f stormFile) bad() []fault {
	good := f.text("2s", "")
	path := filepath.Join(f.folder, "config.yaml")
	text := func(s string) func() error { return func() error { return f.write(s) } }
	insteadOf := func(put func() error) func() error {
		return func() error {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return put()
		}
	}
	return []fault{
		{text(good + "  - {name: [\n"), "not valid YAML"},
		{text(good + f.account("stays-0")), "names must differ"},
		{insteadOf(func() error { return nil }), "no such file"},
		{text("accounts: []\n"), "is empty"},
		{insteadOf(func() error {
			if err := f.write(good); err != nil {
				return err
			}
			return os.Truncate(path, 17<<20)
		}), "is larger than 16 MiB"},
		{text(good[:len(good)-30]), "not valid YAML"},
		{text("\ufeff" + good), "byte order mark"},
		{insteadOf(func() error { return os.Mkdir(path, 0o700) }), "is a directory"},
		{insteadOf(func() error { return os.Symlink(path, path) }), "too many levels"}, // Nobody may read it, not even root.
		{text(strings.Replace(good, "tls: none, ", "tls_config: {ca_file: config.yaml}, ", 1)), "has no certificate"},
		{text("acounts: []\n" + good), "did you mean accounts?"},
		{text(strings.Replace(good, "timeout: 2s", "timeout: 3s", 1)), "is shorter than timeout"},
	}
}

// Hundreds of reloads, some of bad files, while probes run and pages are read: what stays is never begun anew nor left
// out, and all that was started ends.
func TestReloadStorm(t *testing.T) {
	server := startServer(t, mailtest.Options{NoRecord: true})
	f := stormFile{t.TempDir(), server.Addr()}
	good, bad := f.good(), f.bad()
	if err := f.write(good[0]); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	url := serve(t, filepath.Join(f.folder, "config.yaml"), "--web.enable-lifecycle").URL
	var others errgroup.Group
	done := make(chan struct{})
	others.Go(func() error { return watchCounters(url, done) })
	others.Go(func() error {
		return repeat(done, func() error { _, _, err := request(http.MethodPost, url+"/-/reload", ""); return err })
	})

	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for i := range stormReloads {
		<-pace.C
		put, status, text := func() error { return f.write(good[i%len(good)]) }, http.StatusOK, "Reloaded: "
		if i%3 == 1 {
			b := bad[i/3%len(bad)]
			put, status, text = b.put, http.StatusInternalServerError, b.message
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		got, page, err := request(http.MethodPost, url+"/-/reload", "")
		if err != nil || got != status || !strings.Contains(page, text) {
			t.Fatalf("reload %d: %v, status %d, want %d and %q:\n%s", i, err, got, status, text, page)
		}
	}
	close(done)
	if err := others.Wait(); err != nil {
		t.Error(err)
	}

	_, page, err := fetch(url+"/metrics", "")
	if err != nil {
		t.Fatal(err)
	}
	// The first slot comes within an interval, the last one is under way, and a machine with too much else to do skips some.
	overload := overloadSkips(t, page)
	least := int(time.Since(begin)/stormInterval) - 2 - overload
	for i := range stormAccounts {
		name := fmt.Sprintf("stays-%d", i)
		if n := counters(page)[name]; n < least {
			t.Errorf("%s: %d probes in %v, with %d skipped in all", name, n, time.Since(begin), overload)
		}
	}
	for _, want := range []string{
		`imap_exporter_probes_skipped_total{reason="backoff"} 0`,
		`imap_probe_failures_total{account="stays-0",server="` + f.server + `"} 0`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
}

// overloadSkips returns how many probes a page of metrics says found no room when they were due.
func overloadSkips(t *testing.T, page string) int {
	t.Helper()
	_, after, found := strings.Cut(page, `imap_exporter_probes_skipped_total{reason="overload"} `)
	value, _, _ := strings.Cut(after, "\n")
	n, err := strconv.Atoi(value)
	if !found || err != nil {
		t.Fatalf("the page doesn't tell the skipped probes: %q", value)
	}
	return n
}

// repeat does something over and over, without taking all of the machine.
func repeat(done <-chan struct{}, do func() error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-tick.C:
			if err := do(); err != nil {
				return err
			}
		}
	}
}

// watchCounters reads /metrics over and over, and fails when a counter of an account that stays goes back.
func watchCounters(url string, done <-chan struct{}) error {
	before := map[string]int{}
	return repeat(done, func() error {
		_, page, err := fetch(url+"/metrics", "")
		if err != nil {
			return err
		}
		now := counters(page)
		for i := range stormAccounts {
			name := fmt.Sprintf("stays-%d", i)
			if n, ok := now[name]; !ok || n < before[name] {
				return fmt.Errorf("%s: %d probes, and %d before", name, n, before[name])
			}
		}
		before = now
		return nil
	})
}

var probesTotal = regexp.MustCompile(`(?m)^imap_probes_total\{account="([^"]*)",[^}]*\} (\d+)$`)

// counters returns imap_probes_total, by account.
func counters(page string) map[string]int {
	all := map[string]int{}
	for _, match := range probesTotal.FindAllStringSubmatch(page, -1) {
		all[match[1]], _ = strconv.Atoi(match[2])
	}
	return all
}
