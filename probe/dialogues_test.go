package probe

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/wire"
)

// A dialogue is what a server says according to a public report, and what the probe must make of it.
type dialogue struct {
	name, source string
	auth         AuthMethod
	command      string   // that is answered so, or GREETING
	lines        []string // "S: …", "C:", "silence" or "close"
	want         string   // phase/reason
	has, hasNot  []string // in the error's text
	backoff      time.Duration
}

// TestDialogues: the verdict on each dialogue in testdata/dialogues is right, and its text has the server's own words.
func TestDialogues(t *testing.T) {
	for _, d := range readDialogues(t) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := d.probe(t)
			if got := string(r.Err.Phase) + "/" + string(r.Err.Reason); got != d.want {
				t.Errorf("got %s (%s), want %s", got, r.Err.Text, d.want)
			}
			for _, words := range d.has {
				if !strings.Contains(r.Err.Text, words) {
					t.Errorf("text %q, want %q in it", r.Err.Text, words)
				}
			}
			for _, words := range d.hasNot {
				if strings.Contains(r.Err.Text, words) {
					t.Errorf("text %q, want no %q in it", r.Err.Text, words)
				}
			}
			if len(r.Err.Text) > wire.MaxText {
				t.Errorf("text of %d bytes: %q", len(r.Err.Text), r.Err.Text)
			}
			if r.Err.Backoff != d.backoff {
				t.Errorf("backoff %v, want %v", r.Err.Backoff, d.backoff)
			}
			assertNoSecret(t, r)
		})
	}
}

// probe probes a server that says what the dialogue has, and what is usual otherwise.
func (d *dialogue) probe(t *testing.T) *Result {
	t.Helper()
	options := mailtest.Options{Handle: map[string]mailtest.Handler{d.command: d.answer}}
	if d.command == "GREETING" {
		options.Handle["GREETING"] = d.answer
	}
	_, target := serve(t, options)
	target.Auth = d.auth
	if slices.Contains(d.lines, "silence") {
		target.Timeout = 400 * time.Millisecond
	}
	r := Run(t.Context(), target)
	if r.Err == nil {
		logTranscript(t, r)
		t.Fatalf("the probe succeeded, want %s", d.want)
	}
	return r
}

// answer is the server's side.
func (d *dialogue) answer(c *mailtest.Conn, cmd mailtest.Command) error {
	for _, line := range d.lines {
		said, isServer := strings.CutPrefix(line, "S: ")
		switch {
		case line == "silence":
			return c.Hang()
		case line == "close":
			return c.Drop()
		case isServer:
			if challenge, ok := strings.CutPrefix(said, "+ {"); ok {
				said = "+ " + base64.StdEncoding.EncodeToString([]byte("{"+challenge))
			}
			c.Raw(strings.Replace(said, "TAG", cmd.Tag, 1) + "\r\n")
		default: // the client's turn
			if _, err := c.ReadLine(); err != nil {
				return err
			}
		}
	}
	return nil
}

// readDialogues reads testdata/dialogues, whose README.md has the format.
func readDialogues(t *testing.T) (dialogues []*dialogue) {
	t.Helper()
	paths, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		group := strings.TrimSuffix(filepath.Base(path), ".txt")
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if name, ok := strings.CutPrefix(line, "--- "); ok {
				dialogues = append(dialogues, &dialogue{name: group + "/" + name, auth: AuthLogin})
			} else if line != "" && !dialogues[len(dialogues)-1].set(line) {
				t.Fatalf("%s: %q is not understood", path, line)
			}
		}
	}
	for _, d := range dialogues {
		if d.source == "" || d.command == "" || len(d.lines) == 0 || d.want == "" {
			t.Errorf("%s is not complete: %+v", d.name, d)
		}
	}
	return dialogues
}

// set sets what a line of the file says.
func (d *dialogue) set(line string) bool {
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch key {
	case "source":
		d.source = value
	case "auth":
		d.auth = AuthMethod(value)
	case "to":
		d.command = value
	case "S", "C", "silence", "close":
		d.lines = append(d.lines, line)
	case "want":
		d.want = value
	case "text":
		d.has = append(d.has, value)
	case "not":
		d.hasNot = append(d.hasNot, value)
	case "backoff":
		pause, err := time.ParseDuration(value)
		d.backoff = pause
		return err == nil
	default:
		return false
	}
	return true
}
