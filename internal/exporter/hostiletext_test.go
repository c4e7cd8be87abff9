package exporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"imap-exporter/collectors"
	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/format"
	"imap-exporter/internal/history"
	"imap-exporter/internal/web"
	"imap-exporter/probe"
)

// hostileText is what a server may send so that a terminal or a browser obeys it: control characters of ASCII and beyond
// (C1), marks that turn the direction of writing, invisible characters, bytes that aren't UTF-8, and the ends of lines,
// values and strings.
const hostileText = "\x1b[31m\x9b31m\u009b31m\x00\x07\x7f\u0085\u202egnp.exe\u2066\u200b\ufeff\U000e0041\xff\r\n\t'\"`|;<script>alert(1)</script>"

// fillHostile sets every string in v to hostile text, and everything else to some value. Each string begins with a mark
// of its own, which it adds to marks. Types that are closed lists of ours, such as probe.Phase, aren't strings from a
// server.
func fillHostile(v reflect.Value, path string, marks map[string]string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			mark := fmt.Sprintf("mark%dx", len(marks))
			marks[path] = mark
			v.SetString(mark + hostileText)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Now().Add(-time.Minute)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillHostile(v.Field(i), path+"."+v.Type().Field(i).Name, marks)
			}
		}
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*probe.Protocol]() {
			return // It is ours: nil is IMAP.
		}
		v.Set(reflect.New(v.Type().Elem()))
		fillHostile(v.Elem(), path, marks)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillHostile(v.Index(0), path+"[0]", marks)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(time.Millisecond))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Interface: // The cause of a failure: its Text is what is shown.
	default:
		panic(path + " is a " + v.Kind().String() + ": say here how to fill it")
	}
}

// hostileEngine returns an engine with the account canary, which logs to the returned buffer once its writer is closed.
func hostileEngine(t *testing.T, logFormat string) (e *engine, log *bytes.Buffer) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "log: {level: debug, format: " + logFormat + "}\n" +
		"accounts:\n  - {name: canary, server: imap.example.org, username: canary, password: canary-hostile-secret}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log = new(bytes.Buffer)
	cfg, err := config.Load(config.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if e, err = newEngine(cfg, Options{}, newLogWriter(log)); err != nil {
		t.Fatal(err)
	}
	return e, log
}

// Whatever a server sends, no output of the exporter holds a character that a terminal or a browser would obey: in every
// string of a Result, in every format, page and log. Each string is shown somewhere, so that none is left out unnoticed.
func TestHostileTextIsPrintableInEveryOutput(t *testing.T) {
	marks := map[string]string{}
	var failed probe.Result
	fillHostile(reflect.ValueOf(&failed).Elem(), "Result", marks)
	failed.Err.Phase, failed.Err.Reason = probe.PhaseAuth, probe.ReasonRejected
	for i := range failed.Phases {
		failed.Phases[i].Phase, failed.Spans[i].Phase = probe.PhaseAuth, probe.PhaseAuth
	}
	outputs := map[string]string{}
	write := func(name string, f func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		outputs[name] = b.String()
	}
	succeeded := failed
	succeeded.Err, succeeded.Start = nil, failed.Start.Add(time.Second)
	hostileAccount := account.Account{Name: failed.Account, Server: failed.Server}
	for name, p := range map[string]format.Probe{
		"failed": {Account: hostileAccount, Result: &failed}, "succeeded": {Account: hostileAccount, Result: &succeeded},
		"not probed": {Account: hostileAccount, Err: errors.New(hostileText)},
	} {
		write("text, "+name, func(b *bytes.Buffer) error { return format.Text(b, p, format.Style{}, true) })
		write("summary, "+name, func(b *bytes.Buffer) error { return format.Summary(b, p) })
		write("JSON, "+name, func(b *bytes.Buffer) error { return format.JSON(b, []format.Probe{p}, true) })
		write("Prometheus, "+name, func(b *bytes.Buffer) error { return format.Prometheus(b, []format.Probe{p}) })
		write("Nagios, "+name, func(b *bytes.Buffer) error { _, err := format.Nagios(b, []format.Probe{p, p}, nil, nil); return err })
	}
	for _, logFormat := range []string{"logfmt", "json"} {
		e, log := hostileEngine(t, logFormat)
		for _, r := range []*probe.Result{&failed, &succeeded} {
			logResult(t.Context(), e.logger, nil, r)
			own := *r
			own.Account, own.Server = "canary", "imap.example.org:993"
			e.record(t.Context(), &own)
		}
		options := e.pages()
		options.ProbeMetrics = func(context.Context, web.ProbeRequest) (web.ProbeAnswer, error) {
			return web.ProbeAnswer{Result: &failed, Metrics: collectors.Gather(collectors.OnDemand{Account: hostileAccount, Result: &failed})}, nil
		}
		handler := web.NewServer(options).Handler
		id := history.IDOf(&failed)
		for _, path := range []string{
			"/", "/accounts/canary", fmt.Sprintf("/accounts/canary/probes/%d", id), fmt.Sprintf("/accounts/canary/probes/%d/transcript.txt", id),
			"/metrics", "/probe?target=canary", "/probe?target=canary&debug=true", "/config", "/sd",
		} {
			answer := httptest.NewRecorder()
			request := httptest.NewRequest(http.MethodGet, path, http.NoBody)
			request.Host = "localhost"
			handler.ServeHTTP(answer, request)
			if answer.Code != http.StatusOK {
				t.Errorf("%s: status %d: %s", path, answer.Code, answer.Body)
			}
			outputs[path] = answer.Body.String()
		}
		e.stderr.Close()
		outputs["log as "+logFormat] = log.String()
	}
	for name, output := range outputs {
		if i := firstUnprintable(output); i >= 0 {
			t.Errorf("%s has %q", name, output[max(0, i-60):min(len(output), i+8)])
		}
		if strings.HasPrefix(name, "/") && strings.Contains(output, "<script>alert") && !strings.Contains(name, "txt") && !strings.HasPrefix(name, "/probe") && name != "/metrics" {
			t.Errorf("%s runs a script of the server's", name)
		}
	}
	everything := fmt.Sprint(outputs)
	for path, mark := range marks {
		if !strings.Contains(strings.ToLower(everything), mark) {
			t.Errorf("%s is in no output", path)
		}
	}
}

// firstUnprintable returns the index of the first character that isn't printable, white space, or part of UTF-8 text; -1
// if there is none.
func firstUnprintable(s string) int {
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		white := r == '\n' || r == '\t' || r == '\u00a0'
		if r == utf8.RuneError && size == 1 || !white && !unicode.IsPrint(r) {
			return i
		}
	}
	return -1
}
