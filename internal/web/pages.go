package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"imap-exporter/internal/history"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages serves the HTML pages: accounts, configuration, documentation.
type pages struct {
	opts      Options
	history   *history.Store
	updates   *Updates
	explain   explanations
	templates *template.Template
	docs      *docsRenderer
}

func newPages(opts Options) *pages {
	p := &pages{
		opts: opts, history: opts.History, updates: opts.Updates, explain: loadExplanations(), docs: newDocsRenderer(),
		templates: template.Must(template.New("").Funcs(template.FuncMap{"percent": percent, "percentOf": percentOf, "odd": odd}).ParseFS(templateFiles, "templates/*.html")),
	}
	if p.updates == nil {
		p.updates = NewUpdates()
	}
	return p
}

// register adds the pages to a server.
func (p *pages) register(mux *http.ServeMux, answers *answerLimiter) {
	limited := answers.limitInFlight(pagesInFlight, busyText)
	page := func(pattern string, show http.HandlerFunc) { mux.Handle(pattern, limited(show)) }
	page("GET /{$}", p.serveList)
	page("GET /accounts/{name}", p.serveAccount)
	page("GET /accounts/{name}/probes/{id}", p.serveProbe)
	page("GET /accounts/{name}/probes/{id}/transcript.txt", p.serveTranscript)
	page("GET /config", p.serveConfig)
	page("GET /docs/{page...}", p.serveDocs)
	// These wait, for the end of a probe or for changes, and are limited otherwise.
	button := answers.limitInFlight(buttonsInFlight, busyText)
	mux.Handle("POST /accounts/{name}/probe", button(refuseCrossSite(http.HandlerFunc(p.probeNow))))
	mux.HandleFunc("GET /events/{$}", p.listEvents)
	mux.HandleFunc("GET /events/accounts/{name}", p.accountEvents)
	for _, name := range []string{"style.css", "status.js", "favicon.svg", "failing.svg"} {
		mux.HandleFunc("GET /"+name, assetHandler(name))
	}
}

// A pageLayout is the data of what all pages have in common.
type pageLayout struct {
	Title string
	// Root is the relative address of the first page, which a proxy may serve below any path.
	Root string
	// Here is the menu entry that the page belongs to.
	Here    string
	Version string
	// Failing is the number of failing accounts, for the title.
	Failing int
	Now     relativeTime
	Banner  banner
	// Live is the address of the stream that keeps the page up to date; "" if there is none.
	Live string
	Links
}

func (p *pages) layout(r *http.Request, title, here string) pageLayout {
	now := time.Now()
	f := pageLayout{
		Title: title, Root: rootOf(r), Here: here, Version: p.opts.Version, Failing: p.history.Counts().Failing, Now: relativeTime{now, now},
	}
	if p.opts.Links != nil {
		f.Links = p.opts.Links()
	}
	f.Banner = p.banner(now)
	return f
}

// writePage renders a template as the answer.
func (p *pages) writePage(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	html, err := p.render(name, data)
	if err != nil {
		p.opts.Logger.ErrorContext(r.Context(), "Page not rendered", "page", name, "err", err)
		http.Error(w, "The page can't be shown; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(html) // The client has gone; there is nobody to tell.
}

// render renders a template completely before anything is sent, so that an error doesn't leave half a page.
func (p *pages) render(name string, data any) ([]byte, error) {
	var html bytes.Buffer
	if err := p.templates.ExecuteTemplate(&html, name, data); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return html.Bytes(), nil
}

// notFound answers 404 with a page that says what there isn't.
func (p *pages) notFound(w http.ResponseWriter, r *http.Request, what string) {
	p.writePage(w, r, http.StatusNotFound, "notfound", struct {
		pageLayout
		What string
	}{p.layout(r, "Not found", ""), what})
}
