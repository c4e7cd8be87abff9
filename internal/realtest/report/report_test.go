package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const events = `{"Action":"output","Package":"p","Test":"TestGood","Output":"chatter\n"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"    x.go:1: really running Dovecot 2.3.19.1\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    x.go:2: broken\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestNot","Output":"    x.go:3: Cyrus can't run: no root\n"}
{"Action":"output","Package":"p","Test":"TestNot","Output":"--- SKIP: TestNot (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestNot"}
{"Action":"output","Package":"q","Output":"PASS\n"}
{"Action":"output","Package":"q","Output":"ok  \tq\t0.1s\n"}
{"Action":"pass","Package":"q"}
{"Action":"skip","Package":"r"}
not JSON
{"Action":"build-output","ImportPath":"s","Output":"syntax error\n"}
`

func TestSummary(t *testing.T) {
	var stdout, log bytes.Buffer
	s := newSummary(&stdout, &log)
	if err := s.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	s.print(nil)
	want := `    x.go:2: broken
ok  	q	0.1s
not JSON
syntax error

really run: Dovecot 2.3.19.1
skipped: 1
  p TestNot: x.go:3: Cyrus can't run: no root
passwords in the output: 0
`
	if got := stdout.String(); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	for _, line := range []string{"chatter", "broken", "no root", "not JSON", "syntax error"} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("%q is not in the log", line)
		}
	}
}

func TestVerdict(t *testing.T) {
	s := newSummary(io.Discard, io.Discard)
	if err := s.verdict(nil, true); err != nil {
		t.Errorf("nothing skipped or found: %v", err)
	}
	if err := s.verdict([]string{"x"}, false); err == nil {
		t.Error("a password in the output is no error")
	}
	s.skipped = []string{"x"}
	if err := s.verdict(nil, false); err != nil {
		t.Errorf("a skip where skips are allowed: %v", err)
	}
	if err := s.verdict(nil, true); err == nil {
		t.Error("a skip where none is allowed is no error")
	}
}

func TestSplit(t *testing.T) {
	got := split([]string{"-race", "./...", "--", "-run", "X", "./probe"})
	if len(got) != 2 || !slices.Equal(got[0], []string{"-race", "./..."}) || !slices.Equal(got[1], []string{"-run", "X", "./probe"}) {
		t.Errorf("%q", got)
	}
}

func TestScan(t *testing.T) {
	// Put together here, so that the text of this test is none itself.
	password := "canary-" + "report-1-secret"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"page":    "first\n<td>" + password + "</td>\nlast",
		"encoded": "first\nAUTHENTICATE PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00u\x00"+password)) + "\nlast",
		"log":     "first\nno secret\nlast",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := scan(dir)
	if err != nil || len(found) != 2 || !strings.Contains(found[0], "encoded:2: "+password) || !strings.Contains(found[1], "page:2: "+password) {
		t.Errorf("found %q, %v", found, err)
	}
}
