package leak_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"imap-exporter/internal/realtest/leak"
)

// Put together here, so that the text of these tests is none itself.
const (
	password = "canary-" + "leak-1" + "-secret"
	odd      = "canary-" + "\"ö\\&'+%/\t" + "-secret" // the tab is always escaped
)

// percentEncoded quotes every byte, which a URL may.
func percentEncoded(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

func each(text, format string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func jsonOf(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(map[string]string{"line": text})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Every form in which a password could leave the program is found.
func TestEveryFormIsFound(t *testing.T) {
	plain := "\x00user@example.org\x00" + password
	xoauth2 := "user=u\x01auth=Bearer " + password + "\x01\x01"
	oauthbearer := "n,a=u,\x01host=h\x01port=993\x01auth=Bearer " + password + "\x01\x01"
	std := base64.StdEncoding.EncodeToString
	texts := map[string]string{
		"as it is":                 `password="` + password + `"`,
		"in capitals":              strings.ToUpper(password),
		"in an IMAP string":        `LOGIN u "` + strings.ReplaceAll(password, "-", `\-`) + `"`,
		"SASL PLAIN":               "AUTHENTICATE PLAIN " + std([]byte(plain)),
		"SASL PLAIN, undone":       plain,
		"SASL XOAUTH2":             std([]byte(xoauth2)),
		"SASL OAUTHBEARER":         std([]byte(oauthbearer)),
		"basic auth":               "Authorization: Basic " + std([]byte("u:"+password)),
		"hexadecimal":              fmt.Sprintf("%x", password),
		"hexadecimal, capitals":    fmt.Sprintf("%X", password),
		"hexadecimal, spaced":      fmt.Sprintf("% x", password),
		"hexadecimal, after a 0":   "0" + hex.EncodeToString([]byte(password)),
		"a byte slice":             fmt.Sprintf("%d", []byte(password)),
		"a byte slice in Go":       fmt.Sprintf("%#v", []byte(password)),
		"URL-quoted query":         "/?p=" + url.QueryEscape(odd[:8]+"@:"+odd[8:]),
		"URL-quoted path":          url.PathEscape(password),
		"URL-quoted, every byte":   percentEncoded(password),
		"URL-quoted base64":        url.QueryEscape(std([]byte(">>>" + password + "???"))),
		"JSON-quoted":              jsonOf(t, odd),
		"JSON-quoted, every byte":  each(password, `\u%04x`),
		"JSON in JSON":             jsonOf(t, jsonOf(t, password)),
		"Go-quoted":                strconv.Quote(odd),
		"Go-quoted ASCII":          strconv.QuoteToASCII(odd),
		"Go-quoted, every byte":    each(password, `\x%02x`),
		"octal escapes":            each(password, `\%03o`),
		"as our logs escape":       each(password, `\u{%x}`),
		"HTML-quoted":              html.EscapeString(password + `"`),
		"HTML-quoted, every byte":  each(password, "&#%d;"),
		"compressed":               zipped(t, "profile\n"+password),
		"base64 in JSON in base64": std([]byte(jsonOf(t, std([]byte(password))))),
	}
	for offset := range 3 {
		before := strings.Repeat("u", offset)
		name := "base64 at offset " + strconv.Itoa(offset)
		texts[name] = "x " + std([]byte(before+password+"x"))
		texts[name+", for URLs, within a word"] = before + base64.RawURLEncoding.EncodeToString([]byte(password+"?>"))
	}
	for name, text := range texts {
		if found, line := leak.Find([]byte(text)); line == 0 {
			t.Errorf("%s: not found", name)
		} else if !strings.HasPrefix(strings.ToLower(found), "canary-") {
			t.Errorf("%s: found %q", name, found)
		}
		if _, line := leak.Find([]byte("first\n" + text + "\nlast")); name != "compressed" && line < 2 {
			t.Errorf("%s: found in line %d, want 2", name, line)
		}
	}
}

func TestNothingInnocentIsFound(t *testing.T) {
	innocent := []string{
		"canary in a coal mine is no secret",
		base64.StdEncoding.EncodeToString([]byte("an innocent text of some length")),
		`{"account":"canary-1","text":"top-secret"}`,
		"account=canary-1 text=top-secret",
		"100 200 300 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
		"goroutine 1 [running]: main.main(0xc0000140a8, 0xc00001c0e0, 0x63, 0x61, 0x6e)",
		"%zz &; \\q \\u{110000000} \\U00ffffff",
		"",
	}
	for _, text := range innocent {
		if found, line := leak.Find([]byte(text)); line != 0 {
			t.Errorf("%q: found %q", text, found)
		}
	}
}
