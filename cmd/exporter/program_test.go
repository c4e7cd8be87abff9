package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	// patience is how long the tests wait for what must come; no test that passes waits so long.
	patience = time.Minute
	// stopWithin is how long the program may take to stop.
	stopWithin = 5 * time.Second
)

// programKey is where a script keeps its program.
type programKey struct{}

// A program is the running exporter of a script.
type program struct {
	cmd    *exec.Cmd
	url    string
	log    *log
	exited chan error
}

func programOf(ts *testscript.TestScript) *program { return ts.Value(programKey{}).(*program) }

// start is the script command that runs the exporter, and sets $ADDRESS to where it listens.
func start(ts *testscript.TestScript, _ bool, args []string) {
	p := programOf(ts)
	ctx, cancel := context.WithCancel(context.Background())
	p.cmd = exec.CommandContext(ctx, "imap-exporter", append([]string{"--web.listen-address=127.0.0.1:0"}, args...)...)
	p.cmd.Dir = ts.MkAbs(".")
	p.log = newLog()
	p.cmd.Stderr = p.log
	ts.Check(p.cmd.Start())
	p.exited = make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.exited <- p.cmd.Wait()
	}()
	ts.Defer(func() {
		cancel()
		<-done
	})
	select {
	case address := <-p.log.address:
		p.url = "http://" + address
		ts.Setenv("ADDRESS", address)
	case err := <-p.exited:
		ts.Fatalf("exporter ended: %v\n%s", err, p.log)
	case <-time.After(patience):
		ts.Fatalf("exporter doesn't listen:\n%s", p.log)
	}
}

// get is the script command that waits for a text on a page.
func get(ts *testscript.TestScript, neg bool, args []string) {
	var user string
	if len(args) == 4 && args[0] == "-user" {
		user, args = args[1], args[2:]
	}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get [-user name:password] path text")
	}
	p := programOf(ts)
	var page string
	if !await(func() bool {
		_, page, _ = fetch(p.url+args[0], user)
		return strings.Contains(page, args[1])
	}) {
		ts.Fatalf("%s has no %q:\n%s\n%s", args[0], args[1], page, p.log)
	}
}

// absent is the script command that waits until a page no longer has a text.
func absent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: absent path text")
	}
	p := programOf(ts)
	if !await(func() bool {
		status, page, _ := fetch(p.url+args[0], "")
		return status == http.StatusOK && !strings.Contains(page, args[1])
	}) {
		ts.Fatalf("%s has %q:\n%s", args[0], args[1], p.log)
	}
}

// refuse is the script command that expects a page to be refused.
func refuse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: refuse path status")
	}
	status, _, err := fetch(programOf(ts).url+args[0], "")
	ts.Check(err)
	if got := strconv.Itoa(status); got != args[1] {
		ts.Fatalf("%s: status %s", args[0], got)
	}
}

// post is the script command that posts to a page, once, and expects a status and a text.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: post path status text")
	}
	status, page, err := request(http.MethodPost, programOf(ts).url+args[0], "")
	ts.Check(err)
	if got := strconv.Itoa(status); got != args[1] || !strings.Contains(page, args[2]) {
		ts.Fatalf("%s: status %s: %s", args[0], got, page)
	}
}

// hold is the script command that begins a request, and leaves the exporter waiting for the rest.
func hold(ts *testscript.TestScript, _ bool, _ []string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(programOf(ts).url, "http://"))
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	_, err = io.WriteString(conn, "GET /metrics HTTP/1.1\r\n")
	ts.Check(err)
}

// logged is the script command that waits for a text in the log.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: logged text")
	}
	p := programOf(ts)
	if !await(func() bool { return strings.Contains(p.log.String(), args[0]) }) {
		ts.Fatalf("no %q in the log:\n%s", args[0], p.log)
	}
}

// sendSignal is the script command that signals the exporter.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP}
	if neg || len(args) != 1 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal TERM|INT|HUP")
	}
	ts.Check(programOf(ts).cmd.Process.Signal(signals[args[0]]))
}

// stopped is the script command that waits for the end of the exporter.
func stopped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stopped status")
	}
	p := programOf(ts)
	select {
	case <-p.exited:
	case <-time.After(stopWithin):
		ts.Fatalf("exporter runs on:\n%s", p.log)
	}
	io.WriteString(ts.Stderr(), p.log.String())
	if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit status %s:\n%s", got, p.log)
	}
}

// await asks until the answer is yes, and reports whether it came in time.
func await(answer func() bool) bool {
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !answer() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// fetch gets a page once. user is name:password, or "".
func fetch(url, user string) (status int, page string, err error) {
	return request(http.MethodGet, url, user)
}

// request asks once.
func request(method, url, user string) (status int, page string, err error) {
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		return 0, "", err
	}
	if name, password, ok := strings.Cut(user, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	r.Close = true // Leave no idle connection behind.
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// A log takes what the program writes to stderr, and finds the address that it listens on.
type log struct {
	mu      sync.Mutex
	text    strings.Builder
	address chan string
	found   bool
}

var listening = regexp.MustCompile(`"Listening on",? ?"?address"?[=:]"?([][0-9a-f.:]+)["\n]`)

func newLog() *log { return &log{address: make(chan string, 1)} }

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if match := listening.FindStringSubmatch(l.text.String()); match != nil && !l.found {
		l.found = true
		l.address <- match[1]
	}
	return len(p), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
