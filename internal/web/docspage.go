package web

import (
	"bytes"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"imap-exporter/docs"
)

// A docsRenderer has the documentation, and renders a page when it is asked for first.
type docsRenderer struct {
	markdown goldmark.Markdown
	mu       sync.Mutex
	pages    map[string]*docsPage
}

// A document is a page of the documentation.
type docsPage struct {
	// Name is its path without .md, such as runbooks/ImapAccountDown.
	Name  string
	Title string
	// HTML is made of our own text, in which HTML has no meaning.
	HTML template.HTML
}

func newDocsRenderer() *docsRenderer {
	return &docsRenderer{
		markdown: goldmark.New(
			goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)), extension.Linkify),
			goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(linkRewriter{}, 100))),
		),
		pages: map[string]*docsPage{},
	}
}

// page returns a page by its name, or nil.
func (l *docsRenderer) page(name string) *docsPage {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.pages[name]; d != nil {
		return d
	}
	source, err := docs.Files.ReadFile(name + ".md")
	if err != nil {
		return nil
	}
	var html bytes.Buffer
	context := parser.NewContext(parser.WithIDs(&headingIDs{seen: map[string]bool{}}))
	if err := l.markdown.Convert(source, &html, parser.WithContext(context)); err != nil {
		return nil
	}
	d := &docsPage{Name: name, Title: titleOf(source, name), HTML: template.HTML(addAccessibility(html.String()))} //nolint:gosec // It is of our own files, and raw HTML is left out.
	l.pages[name] = d
	return d
}

// accessible tells what columnHeads of columns are, and has the keyboard get to what is too wide for the screen. Where these
// words are text, their brackets are written otherwise.
func addAccessibility(html string) string {
	return strings.NewReplacer("<th>", `<th scope="col">`, "<pre>", `<pre tabindex="0">`, "<table>", `<table tabindex="0">`).Replace(html)
}

// titleOf returns the first heading of a page.
func titleOf(source []byte, name string) string {
	for line := range bytes.Lines(source) {
		if title, ok := bytes.CutPrefix(line, []byte("# ")); ok {
			return strings.TrimSpace(strings.ReplaceAll(string(title), "`", ""))
		}
	}
	return path.Base(name)
}

// A docsSection is a folder of the documentation.
type docsSection struct {
	Title string
	Pages []docsPage
}

// shelves lists all pages, those of each folder together.
func (l *docsRenderer) sections() []docsSection {
	var all []docsSection
	_ = fs.WalkDir(docs.Files, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := docs.Files.ReadFile(file)
		if err != nil {
			return err
		}
		title := "Guides"
		if folder := path.Dir(file); folder != "." {
			title = strings.ToUpper(folder[:1]) + folder[1:]
		}
		name := strings.TrimSuffix(file, ".md")
		i := slices.IndexFunc(all, func(s docsSection) bool { return s.Title == title })
		if i < 0 {
			all = append(all, docsSection{Title: title})
			i = len(all) - 1
		}
		all[i].Pages = append(all[i].Pages, docsPage{Name: name, Title: titleOf(source, name)})
		return nil
	})
	slices.SortStableFunc(all, func(a, b docsSection) int { return compareBool(a.Title != "Guides", b.Title != "Guides") })
	return all
}

// serveDocs serves the documentation. A runbook is at docs/runbooks/ and the name of its alert.
func (p *pages) serveDocs(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("page")
	if name == "" {
		p.writePage(w, r, http.StatusOK, "docsindex", struct {
			pageLayout
			Sections []docsSection
		}{p.layout(r, "Documentation", "docs"), p.docs.sections()})
		return
	}
	if short, ok := strings.CutSuffix(name, ".md"); ok {
		http.Redirect(w, r, rootOf(r)+"docs/"+short, http.StatusMovedPermanently) //nolint:gosec // It begins with a path of ours.
		return
	}
	d := p.docs.page(name)
	if d == nil {
		p.notFound(w, r, "There is no such page in the documentation.")
		return
	}
	p.writePage(w, r, http.StatusOK, "docspage", struct {
		pageLayout
		HTML template.HTML
	}{p.layout(r, d.Title, "docs"), d.HTML})
}

// links makes the links of a page fit for here: .md falls away, and what leads to a file that isn't here, or is a picture,
// is text.
type linkRewriter struct{}

// Transform changes the links of a page.
func (linkRewriter) Transform(page *ast.Document, _ text.Reader, _ parser.Context) {
	var unlinked []ast.Node
	_ = ast.Walk(page, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock: // Comments, which our tests read.
			unlinked = append(unlinked, n)
		case *ast.Image:
			unlinked = append(unlinked, n)
		case *ast.Link:
			target, anchor, _ := strings.Cut(string(n.Destination), "#")
			switch {
			case target == "", strings.Contains(target, "://"):
			case strings.HasSuffix(target, ".md") && !strings.Contains(strings.TrimPrefix(target, "../"), "../"):
				n.Destination = []byte(strings.TrimSuffix(target, ".md"))
				if anchor != "" {
					n.Destination = append(n.Destination, "#"+anchor...)
				}
			default:
				unlinked = append(unlinked, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range unlinked {
		for child := n.FirstChild(); child != nil; child = n.FirstChild() {
			n.Parent().InsertBefore(n.Parent(), n, child)
		}
		n.Parent().RemoveChild(n.Parent(), n)
	}
}

// anchors names headings as our links do, and those of the places where the files are read otherwise.
type headingIDs struct{ seen map[string]bool }

// Generate returns the name of a heading.
func (a *headingIDs) Generate(heading []byte, _ ast.NodeKind) []byte {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, string(heading))
	a.Put([]byte(name))
	return []byte(name)
}

// Put notes a name that is taken.
func (a *headingIDs) Put(name []byte) { a.seen[string(name)] = true }
