package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/internal/history"
	"imap-exporter/internal/schedule"
	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// An accountPage is the page of one account.
type accountPage struct {
	pageLayout
	row
	Root     string // Both embedded structs have one.
	Interval string
	// Lifecycle says that the page has a button to probe the account.
	Lifecycle bool
	// Notice is why the requested probe didn't run.
	Notice string
	// Probe is the last one, or nil.
	Probe *probeView
	Chart *chart
	// Bars are the last probes, with links to those that are still kept.
	Bars []probeBar
	// Recent are the Results that are still kept, the newest first.
	Recent []recentRow
	// GraphLink and DashboardLink lead to Prometheus and Grafana; "" if these aren't configured.
	GraphLink, DashboardLink string
}

// A probeBar is a bar of the sparkline, with a text and a link.
type probeBar struct {
	X, Y, Width, Height int
	Class               string
	Title               string
	// Link is "" when the Result isn't kept any more.
	Link string
}

// A recentRow is a Result that is still kept.
type recentRow struct {
	Link    string
	Start   relativeTime
	Took    string
	Failure *failure
	// Slowest is the phase that took longest, and SlowestTook its duration.
	Slowest     probe.Phase
	SlowestTook string
}

// serveAccount serves the page of an account.
func (p *pages) serveAccount(w http.ResponseWriter, r *http.Request) {
	a, ok := p.account(keyFromPath(r))
	if !ok {
		p.notFound(w, r, "No account has this name.")
		return
	}
	page := p.newAccountPage(r, &a)
	p.writePage(w, r, http.StatusOK, "account", page)
}

func (p *pages) newAccountPage(r *http.Request, a *accountView) accountPage {
	version := p.updates.version()
	page := accountPage{pageLayout: p.layout(r, printable(a.Name), "accounts"), Root: rootOf(r), Lifecycle: p.opts.lifecycle()}
	p.fillLive(&page, a)
	page.Live = "events/" + page.Path + "?version=" + version + "&banner=" + page.Banner.ID()
	return page
}

// fillLive fills in what is kept up to date.
func (p *pages) fillLive(page *accountPage, a *accountView) {
	now := time.Now()
	page.row = p.newRow(a, now)
	page.Failing = p.history.Counts().Failing
	page.Interval = text.Duration(a.Interval)
	summaries := p.history.Summaries(a.Key())
	page.Chart = newChart(summaries, a.Protocol().Phases, now)
	recent := p.history.Recent(a.Key())
	page.Bars = p.probeBars(page.Path, summaries, recent)
	page.Recent = p.recentRows(page.Path, recent, now)
	if a.Last != nil {
		page.Probe = p.newProbeView(a, history.IDOf(a.Last), now)
	}
	if page.Prometheus != "" {
		page.GraphLink = prometheusLink(page.Prometheus, a.Name)
	}
	if page.Grafana != "" {
		page.DashboardLink = grafanaLink(page.Grafana, a.Name)
	}
}

// probeBars returns the bars of the last probes.
func (p *pages) probeBars(path string, summaries []history.Summary, recent []*probe.Result) []probeBar {
	kept := make(map[int64]bool, len(recent))
	for _, r := range recent {
		kept[history.IDOf(r)] = true
	}
	median := history.MedianDuration(summaries)
	bars := make([]probeBar, len(summaries))
	for i := range summaries {
		b := &summaries[i]
		bar := probeBar{X: (sparklineProbes - len(summaries) + i) * sparklinePitch, Width: sparklineBarWidth, Height: sparklineHeight, Class: "failing"}
		outcome := fmt.Sprintf("%s/%s", b.Phase, b.Reason)
		if b.OK() {
			outcome, bar.Class, bar.Height = "ok", "ok", barHeight(b.Duration, median)
			if b.Duration > slowFactor*median {
				bar.Class = "overdue"
			}
		}
		bar.Y = sparklineHeight - bar.Height
		bar.Title = fmt.Sprintf("%s: %s, %s", relativeTime{at: b.Start}.Full(), outcome, durationText(b.Duration))
		if kept[b.ID] {
			bar.Link = probePath(path, b.ID)
		}
		bars[i] = bar
	}
	return bars
}

// recentRows lists the Results that are still kept.
func (p *pages) recentRows(path string, recent []*probe.Result, now time.Time) []recentRow {
	rows := make([]recentRow, len(recent))
	for i, r := range recent {
		rows[i] = recentRow{
			Link: probePath(path, history.IDOf(r)), Start: relativeTime{r.Start, now}, Took: durationText(r.Duration), Failure: p.explain.failure(r),
		}
		var slowest time.Duration
		for _, t := range r.Phases {
			if t.Duration > slowest {
				slowest, rows[i].Slowest = t.Duration, t.Phase
			}
		}
		rows[i].SlowestTook = durationText(slowest)
	}
	return rows
}

// probeNow serves the button: it redirects to the account's page when the probe has ended, or says why none ran.
func (p *pages) probeNow(w http.ResponseWriter, r *http.Request) {
	a, ok := p.account(keyFromPath(r))
	if !ok {
		p.notFound(w, r, "No account has this name.")
		return
	}
	status, notice := p.probeOnDemand(r.Context(), a.Key())
	if notice == "" {
		http.Redirect(w, r, rootOf(r)+accountPath(a.Key()), http.StatusSeeOther) //nolint:gosec // It is a path of ours, and the name of an account of ours.
		return
	}
	if now, ok := p.account(a.Key()); ok {
		a = now
	}
	page := p.newAccountPage(r, &a)
	page.Notice = notice
	p.writePage(w, r, status, "account", page)
}

// onDemandTimeout is how long the button waits; many proxies wait 60 s.
const onDemandTimeout = 45 * time.Second

// probeOnDemand probes an account. If there was no probe, it returns why, and an HTTP status.
func (p *pages) probeOnDemand(ctx context.Context, key account.Key) (status int, notice string) {
	if !p.opts.lifecycle() {
		return http.StatusForbidden, "Not probed: this is off unless the exporter is started with --web.enable-lifecycle."
	}
	ctx, cancel := context.WithTimeout(ctx, onDemandTimeout)
	defer cancel()
	_, err := p.opts.Probe(ctx, ProbeRequest{Account: key.Account})
	var blocked *schedule.BlockedError
	switch {
	case err == nil:
		return http.StatusOK, ""
	case errors.As(err, &blocked):
		return http.StatusConflict, "Not probed: " + blocked.Error() + "."
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, "The probe still waits or runs. It shows here when it has ended."
	default:
		return http.StatusServiceUnavailable, "Not probed: " + err.Error() + "."
	}
}

// accountEvents keeps an account's page up to date.
func (p *pages) accountEvents(w http.ResponseWriter, r *http.Request) {
	a, ok := p.account(keyFromPath(r))
	if !ok {
		p.notFound(w, r, "No account has this name.")
		return
	}
	// The links are for the account's page, whose path is shorter than that of its events.
	page := accountPage{pageLayout: p.layout(r, printable(a.Name), "accounts"), Root: "./../", Lifecycle: p.opts.lifecycle()}
	started, version := false, r.URL.Query().Get("version")
	p.streamUpdates(w, r, func(s *stream, watcher *watcher) error {
		if !started {
			p.updates.setAccounts(watcher, []account.Key{a.Key()})
		}
		changed := len(p.updates.takeChanged(watcher)) > 0 || !started && p.updates.version() != version
		started = true
		if !changed {
			return nil
		}
		now, ok := p.account(a.Key())
		if !ok {
			return errGone
		}
		p.fillLive(&page, &now)
		html, err := p.render("live", page)
		if err != nil {
			return err
		}
		return s.send(html)
	})
}

// errGone ends the stream of an account that was removed.
var errGone = errors.New("the account is gone")

// prometheusLink returns the address of a graph of an account's durations by phase.
func prometheusLink(base, account string) string {
	query := url.Values{
		"g0.expr":        {fmt.Sprintf("imap_probe_last_phase_duration_seconds{account=%q}", account)},
		"g0.tab":         {"0"},
		"g0.stacked":     {"1"},
		"g0.range_input": {"6h"},
	}
	return base + "/graph?" + query.Encode()
}

// grafanaLink returns the address of an account's dashboard.
func grafanaLink(base, account string) string {
	return base + "/d/imap-account?" + url.Values{"var-account": {account}}.Encode()
}
