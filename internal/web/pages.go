package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"imap-exporter/internal/history"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are the pages for people: the accounts, the configuration and the documentation.
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
	if p.history == nil {
		p.history = history.New(history.Limits{})
	}
	if p.updates == nil {
		p.updates = NewUpdates()
	}
	if p.opts.Account == nil {
		p.opts.Account = p.findAccount
	}
	return p
}

// findAccount finds an account in the list.
func (p *pages) findAccount(name string) (Account, bool) {
	for _, a := range p.opts.Accounts() {
		if a.Name == name {
			return a, true
		}
	}
	return Account{}, false
}

// register adds the pages to a server.
func (p *pages) register(mux *http.ServeMux) {
	limited := limitInFlight(pagesInFlight, busyText)
	page := func(pattern string, show http.HandlerFunc) { mux.Handle(pattern, limited(show)) }
	page("GET /{$}", p.serveList)
	page("GET /accounts/{name}", p.serveAccount)
	page("GET /accounts/{name}/probes/{id}", p.serveProbe)
	page("GET /accounts/{name}/probes/{id}/transcript.txt", p.serveTranscript)
	page("GET /config", p.serveConfig)
	page("GET /docs/{page...}", p.serveDocs)
	// These wait: for the end of a probe, and for news.
	mux.Handle("POST /accounts/{name}/probe", refuseCrossSite(http.HandlerFunc(p.probeNow)))
	mux.HandleFunc("GET /events/{$}", p.listEvents)
	mux.HandleFunc("GET /events/accounts/{name}", p.accountEvents)
	for _, name := range []string{"style.css", "status.js", "favicon.svg", "failing.svg"} {
		mux.HandleFunc("GET /"+name, assetHandler(name))
	}
}

// A pageLayout is what all pages have round them.
type pageLayout struct {
	Title string
	// Root is the way to the first page: also where a proxy shows it in a folder.
	Root string
	// Here is the entry of the menu that the page belongs to.
	Here    string
	Version string
	// Failing is how many accounts are, for the title of the window.
	Failing int
	Now     relativeTime
	// Live is where the page hears of what changes; "" where it doesn't.
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
	return f
}

// rootOf returns the way from a page to the first one.
func rootOf(r *http.Request) string {
	return "./" + strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1)
}

// writePage renders a page.
func (p *pages) writePage(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	html, err := p.render(name, data)
	if err != nil {
		p.opts.Logger.ErrorContext(r.Context(), "Page not rendered", "page", name, "err", err)
		http.Error(w, "The page can't be shown; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(html) // Whoever hung up has no use for an error.
}

// render returns a page or a part of one as a whole, so that an error in a template doesn't leave half of it.
func (p *pages) render(name string, data any) ([]byte, error) {
	var html bytes.Buffer
	if err := p.templates.ExecuteTemplate(&html, name, data); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return html.Bytes(), nil
}

// notFound says that there is no such thing, on a page with the menu.
func (p *pages) notFound(w http.ResponseWriter, r *http.Request, what string) {
	p.writePage(w, r, http.StatusNotFound, "notfound", struct {
		pageLayout
		What string
	}{p.layout(r, "Not found", ""), what})
}
