package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"imap-exporter/internal/realtest/program"
)

// exporterKey is where a script keeps its running exporter.
type exporterKey struct{}

func exporterOf(ts *testscript.TestScript) *program.Process {
	started := ts.Value(exporterKey{}).(**program.Process)
	if *started == nil {
		ts.Fatalf("start comes first")
	}
	return *started
}

// start is the script command that runs the exporter, and sets $ADDRESS to where it listens.
func start(ts *testscript.TestScript, _ bool, args []string) {
	binary, err := program.Build()
	ts.Check(err)
	cmd := exec.Command(binary, args...)
	cmd.Dir = ts.MkAbs(".")
	p, err := program.Launch(context.Background(), cmd)
	ts.Check(err)
	ts.Defer(p.Kill)
	*ts.Value(exporterKey{}).(**program.Process) = p
	ts.Setenv("ADDRESS", strings.TrimPrefix(p.URL, "http://"))
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
	p := exporterOf(ts)
	var page string
	if !await(func() bool {
		_, page, _ = fetch(p.URL+args[0], user)
		return strings.Contains(page, args[1])
	}) {
		ts.Fatalf("%s has no %q:\n%s\n%s", args[0], args[1], page, p.Log)
	}
}

// absent is the script command that waits until a page no longer has a text.
func absent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: absent path text")
	}
	p := exporterOf(ts)
	if !await(func() bool {
		status, page, _ := fetch(p.URL+args[0], "")
		return status == http.StatusOK && !strings.Contains(page, args[1])
	}) {
		ts.Fatalf("%s has %q:\n%s", args[0], args[1], p.Log)
	}
}

// refuse is the script command that expects a page to be refused.
func refuse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: refuse path status")
	}
	status, _, err := fetch(exporterOf(ts).URL+args[0], "")
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
	status, page, err := request(http.MethodPost, exporterOf(ts).URL+args[0], "")
	ts.Check(err)
	if got := strconv.Itoa(status); got != args[1] || !strings.Contains(page, args[2]) {
		ts.Fatalf("%s: status %s: %s", args[0], got, page)
	}
}

// hold is the script command that begins a request, and leaves the exporter waiting for the rest.
func hold(ts *testscript.TestScript, _ bool, _ []string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(exporterOf(ts).URL, "http://"))
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
	p := exporterOf(ts)
	if !await(func() bool { return strings.Contains(p.Log.String(), args[0]) }) {
		ts.Fatalf("no %q in the log:\n%s", args[0], p.Log)
	}
}

// sendSignal is the script command that signals the exporter.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP}
	if neg || len(args) != 1 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal TERM|INT|HUP")
	}
	ts.Check(exporterOf(ts).Signal(signals[args[0]]))
}

// stopped is the script command that waits for the end of the exporter.
func stopped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stopped status")
	}
	p := exporterOf(ts)
	select {
	case <-p.Exited():
	case <-time.After(stopTimeout):
		ts.Fatalf("exporter runs on:\n%s", p.Log)
	}
	io.WriteString(ts.Stderr(), p.Log.String())
	if got := strconv.Itoa(p.ExitCode()); got != args[0] {
		ts.Fatalf("exit status %s:\n%s", got, p.Log)
	}
}
