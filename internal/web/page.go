package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"imap-exporter/probe"
)

//go:embed page.html
var pageSource string

// A page is what page.html shows.
type page struct {
	Version                   string
	Accounts                  []row
	Healthy, Failing, Waiting int
}

// A row is one account. No text of its server is in it: that is for the log.
type row struct {
	Name, Server string
	// State is "ok", "failing" or "waiting".
	State    string
	Phase    probe.Phase
	Reason   probe.Reason
	Start    time.Time
	Duration time.Duration
	Ago      time.Duration
}

// landingPage lists the accounts and what their last probes came to.
func landingPage(opts Options) http.Handler {
	tmpl := template.Must(template.New("page").Parse(pageSource))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var html bytes.Buffer // So that an error in the template doesn't leave half a page.
		if err := tmpl.Execute(&html, newPage(opts.Version, opts.Accounts(), time.Now())); err != nil {
			opts.Logger.ErrorContext(r.Context(), "Landing page not rendered", "err", err)
			http.Error(w, "The page can't be shown; the log says why.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, &html)
	})
}

// newPage makes the rows and counts them.
func newPage(version string, accounts []Account, now time.Time) page {
	p := page{Version: version}
	for _, a := range accounts {
		r := newRow(a, now)
		switch r.State {
		case "ok":
			p.Healthy++
		case "failing":
			p.Failing++
		default:
			p.Waiting++
		}
		p.Accounts = append(p.Accounts, r)
	}
	return p
}

func newRow(a Account, now time.Time) row {
	r := row{Name: a.Name, Server: a.Server, State: "waiting"}
	if a.Last == nil {
		return r
	}
	r.State = "ok"
	if a.Last.Err != nil {
		r.State, r.Phase, r.Reason = "failing", a.Last.Err.Phase, a.Last.Err.Reason
	}
	r.Start = a.Last.Start.UTC()
	r.Duration = roundDuration(a.Last.Duration)
	r.Ago = max(0, now.Sub(a.Last.Start)).Round(time.Second)
	return r
}

// roundDuration keeps what a reader can use: tenths of a millisecond, or milliseconds from one second on.
func roundDuration(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
