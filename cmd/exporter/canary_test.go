package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
)

// A betrayal is an account whose server knows its password, and repeats it where it can.
type betrayal struct {
	name string
	// module and its keys, as in the configuration.
	module string
	// handle answers a verb, given a form of the password.
	verb   string
	handle func(secret string) mailtest.Handler
	// refuse has the server know another password.
	refuse bool
}

// saying answers with bytes as they are, where TAG is the command's tag, and goes on.
func saying(format string) func(string) mailtest.Handler {
	return func(text string) mailtest.Handler {
		return func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Raw(strings.NewReplacer("TAG", cmd.Tag, "SECRET", text).Replace(format))
			return nil
		}
	}
}

// encoded has another form of the password repeated.
func encoded(form func(string) string, handle func(string) mailtest.Handler) func(string) mailtest.Handler {
	return func(secret string) mailtest.Handler { return handle(form(secret)) }
}

func inBase64(s string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + mailtest.DemoUser + "\x00" + s))
}

func inHex(s string) string { return hex.EncodeToString([]byte(s)) }

// betrayals are all ways that a login can go wrong with a password in hand.
func betrayals() []betrayal {
	const login, plain = "auth: login", "auth: plain"
	refused := saying("TAG NO [SECRET] wrong: SECRET\r\n")
	all := []betrayal{
		{"good", login, "", nil, false},
		{"rejected", login, "", nil, true},
		{"rejected-plain", plain, "", nil, true},
		{"rejected-scram", "auth: scram-sha-256", "", nil, true},
		{"rejected-xoauth2", "auth: xoauth2", "", nil, true},
		{"rejected-oauthbearer", "auth: oauthbearer", "", nil, true},
		{"not-permitted", "auth: login, allow_plaintext_auth: false", "", nil, false},
		{"repeated", login, "LOGIN", refused, false},
		{"repeated-base64", plain, "AUTHENTICATE", encoded(inBase64, refused), false},
		{"repeated-hex", login, "LOGIN", encoded(inHex, refused), false},
		{"repeated-capitals", login, "LOGIN", encoded(strings.ToUpper, refused), false},
		{"challenge", plain, "AUTHENTICATE", saying("+ SECRET\r\n"), false},
		{"alert", login, "LOGIN", saying("* NO [ALERT] SECRET\r\n* BAD SECRET\r\n"), false},
		{"bye", login, "LOGIN", saying("* BYE [SECRET] SECRET\r\n"), false},
		{"garbage", login, "LOGIN", saying("SECRET\r\n"), false},
		{"greeting", login, "GREETING", saying("* BYE SECRET\r\n"), false},
		{"no-greeting", login, "GREETING", saying("SECRET\r\n"), false},
		{"capability", login, "CAPABILITY", saying("* CAPABILITY IMAP4rev1 SECRET AUTH=SECRET\r\nTAG OK SECRET\r\n"), false},
		{"endless", login, "LOGIN", func(secret string) mailtest.Handler {
			return func(c *mailtest.Conn, _ mailtest.Command) error {
				return c.Flood(func(int) string { return "* OK " + secret + "\r\n" })
			}
		}, false},
		{"mailbox", login, "LIST", saying("* LIST () \"/\" \"SECRET\"\r\n* LIST () \"/\" \"x-SECRET-x\"\r\nTAG OK SECRET\r\n"), false},
		{"counts", login, "STATUS", saying("* STATUS \"SECRET\" (MESSAGES 5)\r\nTAG NO SECRET\r\n"), false},
		{"quota", login, "GETQUOTAROOT", saying("* QUOTA \"SECRET\" (STORAGE 1 2)\r\n* QUOTA \"x-SECRET\" (SECRET 1 2)\r\nTAG OK SECRET\r\n"), false},
		{"quota-refused", login, "GETQUOTAROOT", saying("TAG NO [SECRET] SECRET\r\n"), false},
		{"select", login, "EXAMINE", saying("* FLAGS (SECRET)\r\n* OK [SECRET] SECRET\r\nTAG NO SECRET\r\n"), false},
		{"fetch", login, "FETCH", saying("* 24 FETCH (BODY[HEADER]<0> \"SECRET\" INTERNALDATE \"SECRET\")\r\nTAG OK SECRET\r\n"), false},
		{"logout", login, "LOGOUT", saying("* BYE SECRET\r\nTAG NO SECRET\r\n"), false},
		{"referral", login, "LOGIN", saying("TAG NO [REFERRAL imap://u:SECRET@127.0.0.1:1/] SECRET\r\n"), false},
	}
	return all
}

// configure starts the servers and writes the configuration, into a folder that it returns. Passwords come from everywhere
// that they can.
func configure(t *testing.T, all []betrayal) (folder string) {
	t.Helper()
	folder = t.TempDir()
	var modules, accounts strings.Builder
	for i, b := range all {
		secret := fmt.Sprintf("canary-%s-%d-secret", b.name, i)
		user := mailtest.NewUser(time.Now())
		user.Password, user.Token = secret, secret
		if b.refuse {
			user.Password, user.Token = "canary-other-secret", "canary-other-secret"
		}
		o := mailtest.Options{NoRecord: true, Data: mailtest.Data{Users: []*mailtest.User{user}}}
		if b.handle != nil {
			o.Handle = map[string]mailtest.Handler{b.verb: b.handle(secret)}
		}
		fmt.Fprintf(&modules, "  - {name: %s, interval: 1s, timeout: 1s, tls: none, allow_plaintext_auth: true, mailboxes: [\"*\"], %s}\n", b.name, b.module)
		key := "password: " + secret
		switch file := filepath.Join(folder, b.name); {
		case strings.Contains(b.module, "oauth"):
			key = "token_file: " + file
			put(t, file, secret+"\n")
		case i%3 == 1:
			key = "password_file: " + file
			put(t, file, secret+"\n")
		case i%3 == 2:
			key = "password_env: CANARY_" + strconv.Itoa(i)
			t.Setenv("CANARY_"+strconv.Itoa(i), secret)
		}
		fmt.Fprintf(&accounts, "  - {name: %s, server: %q, username: %q, %s, module: %s}\n", b.name, slowServer(t, o).Addr(), mailtest.DemoUser, key, b.name)
	}
	// The server of these can't be reached, or shows a certificate that nobody has vouched for, with the password in it.
	fmt.Fprintf(&modules, "  - {name: tls, interval: 1s, timeout: 1s}\n")
	for name, server := range map[string]string{"unknown": "nobody.invalid", "refused": "127.0.0.1:1", "certificate": certified(t, "canary-certificate-secret")} {
		fmt.Fprintf(&accounts, "  - {name: %s, server: %q, username: u, password: canary-%s-secret, module: tls}\n", name, server, name)
	}
	text := strings.Replace(modules.String(), "tls: none, allow_plaintext_auth: true, mailboxes: [\"*\"], auth: login, allow_plaintext_auth: false", "tls: none", 1)
	put(t, filepath.Join(folder, "config.yaml"), "max_concurrent: 100\nlog: {level: debug}\nmodules:\n"+text+"accounts:\n"+accounts.String())
	return folder
}

// certified starts a server whose certificate is for a password.
func certified(t *testing.T, name string) (address string) {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	tls, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{name, name + ".example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	return slowServer(t, mailtest.Options{NoRecord: true, TLS: tls}).Addr()
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

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
	if err != io.EOF || n < 20 {
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
