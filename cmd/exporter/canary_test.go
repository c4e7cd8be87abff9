package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"imap-exporter/internal/realtest"
)

var profilesAt = regexp.MustCompile(`msg="Serving profiles" address=([0-9.:]+)`)

// Dozens of accounts whose servers repeat their passwords, at debug: no output of the program has one of them, in any form.
// Neither has what it says about configurations whose values are wrong, each of them a password.
func TestNoSecretInAnyOutput(t *testing.T) {
	all := betrayals()
	folder := configure(t, all)
	cmd, stderr := startProcess(t, folder, "--web.enable-lifecycle", "--web.debug-listen-address=127.0.0.1:0")
	url := "http://" + <-stderr.address
	if !await(func() bool {
		_, page, _ := fetch(url+"/metrics", "")
		n := counters(page)
		return len(n) == len(all)+3 && !slices.ContainsFunc(all, func(b betrayal) bool { return n[b.name] == 0 })
	}) {
		t.Fatalf("not all accounts were probed:\n%s", stderr)
	}
	match := profilesAt.FindStringSubmatch(stderr.String())
	if match == nil {
		t.Fatalf("no profiles:\n%s", stderr)
	}
	scanPages(t, url, "http://"+match[1]+"/debug/pprof/")
	assertValidMetrics(t, url)

	for i, text := range wrongConfigurations(t) {
		put(t, filepath.Join(folder, "config.yaml"), text)
		status, answer := getPage(t, http.MethodPost, url+"/-/reload", "")
		if status != http.StatusInternalServerError {
			t.Errorf("reloaded (%d):\n%s", status, text)
		}
		assertNoLeak(t, "/-/reload", answer)
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{"check", "--config.file=" + filepath.Join(folder, "config.yaml")}, &stdout, &stderr); status != 1 {
			t.Errorf("check: status %d", status)
		}
		assertNoLeak(t, "check", append(stdout.Bytes(), stderr.Bytes()...))
		if i%20 == 0 {
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !await(func() bool { return strings.Contains(stderr.String(), "trigger=SIGHUP problem=") }) {
		t.Error("no reload by SIGHUP")
	}
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err == nil {
		assertNoLeak(t, "the command line", arguments)
	}
	text := stderr.String()
	for _, b := range all {
		if b.name != "good" && b.name != "logout" && !strings.Contains(text, "account="+b.name+" ") {
			t.Errorf("nothing of %s is in the log", b.name)
		}
	}
	if n := strings.Count(text, "msg=Transcript"); n < 100 {
		t.Errorf("only %d lines of transcripts in the log", n)
	}
	assertNoLeak(t, "the log", []byte(text))
}

// scanPages gets every page there is, and looks for passwords.
func scanPages(t *testing.T, url, profiles string) {
	t.Helper()
	for path, want := range map[string]int{
		"/": 200, "/style.css": 200, "/metrics": 200, "/-/healthy": 200, "/-/ready": 200, "/nowhere": 404, "/-/reload": 405, "/debug/pprof/": 404,
	} {
		status, body := getPage(t, http.MethodGet, url+path, "")
		if status != want {
			t.Errorf("%s: status %d", path, status)
		}
		assertNoLeak(t, path, body)
		realtest.Capture(t, "page", body)
	}
	for path, want := range map[string]int{
		"": 200, "heap": 200, "heap?debug=1": 200, "allocs": 200, "goroutine": 200, "goroutine?debug=1": 200, "goroutine?debug=2": 200,
		"block?debug=1": 200, "mutex?debug=1": 200, "threadcreate?debug=1": 200, "profile?seconds=1": 200, "trace?seconds=1": 200, "symbol": 200,
		"cmdline": 404,
	} {
		status, body := getPage(t, http.MethodGet, profiles+path, "")
		if status != want {
			t.Errorf("/debug/pprof/%s: status %d", path, status)
		}
		assertNoLeak(t, "/debug/pprof/"+path, body)
		realtest.Capture(t, "profile", body)
	}
}

// assertValidMetrics reads /metrics in each format, as Prometheus does.
func assertValidMetrics(t *testing.T, url string) {
	t.Helper()
	const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	const openMetrics = "application/openmetrics-text;version=1.0.0"
	_, text := getPage(t, http.MethodGet, url+"/metrics", "Accept: text/plain")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil || families["imap_probe_success"] == nil {
		t.Errorf("as text: %d families, %v", len(families), err)
	}
	assertNoLeak(t, "/metrics as text", text)
	_, binary := getPage(t, http.MethodGet, url+"/metrics", "Accept: "+protobuf)
	decoder := expfmt.NewDecoder(bytes.NewReader(binary), expfmt.NewFormat(expfmt.TypeProtoDelim))
	n := 0
	for ; err == nil; n++ {
		err = decoder.Decode(&dto.MetricFamily{})
	}
	if !errors.Is(err, io.EOF) || n < 20 {
		t.Errorf("as protobuf: %d families, %v", n, err)
	}
	assertNoLeak(t, "/metrics as protobuf", binary)
	_, open := getPage(t, http.MethodGet, url+"/metrics", "Accept: "+openMetrics)
	if !bytes.HasSuffix(open, []byte("\n# EOF\n")) {
		t.Error("as OpenMetrics: without an end")
	}
	assertNoLeak(t, "/metrics as OpenMetrics", open)
}

// wrongConfigurations puts a password into the place of every value of a good configuration, in forms that no value has.
func wrongConfigurations(t *testing.T) (texts []string) {
	t.Helper()
	const secret = "canary-value-secret"
	data, err := os.ReadFile("../../internal/config/testdata/every-key.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		key, value, found := strings.Cut(line, ": ")
		if !found || value == "" {
			continue
		}
		for _, wrong := range []string{"[[" + secret + "]]", "{" + secret + ": " + secret + "}", "*" + secret, "!!int " + secret, `"` + secret} {
			changed := slices.Clone(lines)
			changed[i] = key + ": " + wrong
			texts = append(texts, strings.Join(changed, "\n"))
		}
	}
	if len(texts) < 100 {
		t.Fatalf("only %d", len(texts))
	}
	return texts
}
