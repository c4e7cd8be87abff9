package e2e

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
	"imap-exporter/internal/realtest/leak"
	"imap-exporter/internal/realtest/program"
)

var profilesAt = regexp.MustCompile(`msg="Serving profiles" address=([0-9.:]+)`)

// Dozens of servers repeat their accounts' passwords, and the program logs at debug: no output has a password, in any form.
// Nor have the errors about configurations in which a password stands where another value belongs.
func TestNoSecretInAnyOutput(t *testing.T) {
	all := echoingAccounts()
	folder := configure(t, all)
	cmd := program.Command(t, "config.yaml", "--web.enable-lifecycle", "--web.debug-listen-address=127.0.0.1:0")
	cmd.Dir = folder
	e := start(t, cmd)
	if !await(func() bool {
		p := e.page(t)
		return p.sum("imap_exporter_accounts") == float64(len(all)+3) && !slices.ContainsFunc(all, func(a echoing) bool { return p.value("imap_probes_total", a.name) == 0 })
	}) {
		t.Fatalf("not all accounts were probed:\n%s", e.Log)
	}
	match := profilesAt.FindStringSubmatch(e.Log.String())
	if match == nil {
		t.Fatalf("no profiles:\n%s", e.Log)
	}
	scanPages(t, e.URL, "http://"+match[1]+"/debug/pprof/")
	assertValidMetrics(t, e.URL)

	for i, text := range wrongConfigurations(t) {
		write(t, filepath.Join(folder, "config.yaml"), text)
		status, answer := get(t, http.MethodPost, e.URL+"/-/reload", "")
		if status != http.StatusInternalServerError {
			t.Errorf("reloaded (%d):\n%s", status, text)
		}
		assertNoLeak(t, "/-/reload", answer)
		if i%7 > 0 { // check loads a configuration as a reload does.
			continue
		}
		check := program.Command(t, "config.yaml")
		check.Dir, check.Args = folder, append(check.Args, "check")
		output, _ := check.CombinedOutput()
		if check.ProcessState.ExitCode() != 1 {
			t.Errorf("check: %s", check.ProcessState)
		}
		assertNoLeak(t, "check", output)
		if i%21 == 0 {
			e.signal(t, syscall.SIGHUP)
		}
	}
	if !await(func() bool { return strings.Contains(e.Log.String(), "trigger=SIGHUP problem=") }) {
		t.Error("no reload by SIGHUP")
	}
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", e.PID()))
	if err == nil {
		assertNoLeak(t, "the command line", arguments)
	}
	text := e.Log.String()
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

// assertNoLeak looks for the tests' passwords in an output, in every form.
func assertNoLeak(t *testing.T, where string, output []byte) {
	t.Helper()
	if found, line := leak.Find(output); line > 0 {
		t.Errorf("%s, line %d, has a password: %s", where, line, found)
	}
}

// scanPages gets every page there is, and looks for passwords.
func scanPages(t *testing.T, url, profiles string) {
	t.Helper()
	for path, want := range map[string]int{
		"/": 200, "/style.css": 200, "/metrics": 200, "/-/healthy": 200, "/-/ready": 200, "/nowhere": 404, "/-/reload": 405, "/debug/pprof/": 404,
	} {
		status, body := get(t, http.MethodGet, url+path, "")
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
		status, body := get(t, http.MethodGet, profiles+path, "")
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
	_, text := get(t, http.MethodGet, url+"/metrics", "Accept: text/plain")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil || families["imap_probe_success"] == nil {
		t.Errorf("as text: %d families, %v", len(families), err)
	}
	assertNoLeak(t, "/metrics as text", text)
	_, binary := get(t, http.MethodGet, url+"/metrics", "Accept: "+protobuf)
	decoder := expfmt.NewDecoder(bytes.NewReader(binary), expfmt.NewFormat(expfmt.TypeProtoDelim))
	n := 0
	for ; err == nil; n++ {
		err = decoder.Decode(&dto.MetricFamily{})
	}
	if !errors.Is(err, io.EOF) || n < 20 {
		t.Errorf("as protobuf: %d families, %v", n, err)
	}
	assertNoLeak(t, "/metrics as protobuf", binary)
	_, open := get(t, http.MethodGet, url+"/metrics", "Accept: "+openMetrics)
	if !bytes.HasSuffix(open, []byte("\n# EOF\n")) {
		t.Error("as OpenMetrics: without an end")
	}
	assertNoLeak(t, "/metrics as OpenMetrics", open)
}

// wrongConfigurations returns copies of a good configuration, in each of which a password replaces one value, in a form that
// is invalid for it.
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
