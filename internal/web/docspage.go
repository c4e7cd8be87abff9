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

	imapexporter "imap-exporter"
)

// A docsRenderer renders the documentation, each page when it is first asked for.
//
// The name of a page is its path in the repository without .md and, below docs, without that folder: README is README.md,
// and runbooks/ImapProbeStale is docs/runbooks/ImapProbeStale.md.
type docsRenderer struct {
	markdown goldmark.Markdown
	mu       sync.Mutex
	pages    map[string]*docsPage
}

// A docsPage is a page of the documentation.
type docsPage struct {
	Name  string
	Title string
	// HTML is rendered from our own files; raw HTML in them is left out.
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

// docsName returns the name of the page of a file.
func docsName(file string) string {
	return strings.TrimSuffix(strings.TrimPrefix(file, "docs/"), ".md")
}

// readDocs returns the file of a page and its content. The page of a folder is its README.
func readDocs(name string) (file string, source []byte, err error) {
	if name == "" || strings.HasSuffix(name, "/") {
		name += "README"
	}
	for _, file := range []string{"docs/" + name + ".md", name + ".md"} {
		if source, err = imapexporter.Documentation.ReadFile(file); err == nil {
			return file, source, nil
		}
	}
	return "", nil, err
}

// page returns a page by its name, or nil.
func (d *docsRenderer) page(name string) *docsPage {
	d.mu.Lock()
	defer d.mu.Unlock()
	if page := d.pages[name]; page != nil {
		return page
	}
	file, source, err := readDocs(name)
	if err != nil {
		return nil
	}
	var html bytes.Buffer
	context := parser.NewContext(parser.WithIDs(headingIDs{}))
	context.Set(fileKey, file)
	if err := d.markdown.Convert(source, &html, parser.WithContext(context)); err != nil {
		return nil
	}
	page := &docsPage{Name: name, Title: titleOf(source, name), HTML: template.HTML(addAccessibility(html.String()))} //nolint:gosec // It is of our own files, and raw HTML is left out.
	d.pages[name] = page
	return page
}

// addAccessibility marks table headers as those of columns, and lets the keyboard reach what may have to be scrolled. In
// text these tags are escaped, so that only real ones are replaced.
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

// A docsSection lists the pages of one folder.
type docsSection struct {
	Title string
	Pages []docsPage
}

// sections lists all pages, without their HTML; the guides come first.
func (d *docsRenderer) sections() []docsSection {
	var all []docsSection
	_ = fs.WalkDir(imapexporter.Documentation, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := imapexporter.Documentation.ReadFile(file)
		if err != nil {
			return err
		}
		title := map[string]string{".": "Project", "docs": "Guides"}[path.Dir(file)]
		if title == "" {
			folder := path.Base(path.Dir(file))
			title = strings.ToUpper(folder[:1]) + folder[1:]
		}
		i := slices.IndexFunc(all, func(s docsSection) bool { return s.Title == title })
		if i < 0 {
			all = append(all, docsSection{Title: title})
			i = len(all) - 1
		}
		name := docsName(file)
		all[i].Pages = append(all[i].Pages, docsPage{Name: name, Title: titleOf(source, name)})
		return nil
	})
	slices.SortStableFunc(all, func(a, b docsSection) int { return compareBool(a.Title != "Guides", b.Title != "Guides") })
	return all
}

// serveDocs serves the list of all pages, and each page by its name.
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
	page := p.docs.page(name)
	if page == nil {
		p.notFound(w, r, "There is no such page in the documentation.")
		return
	}
	p.writePage(w, r, http.StatusOK, "docspage", struct {
		pageLayout
		HTML template.HTML
	}{p.layout(r, page.Title, "docs"), page.HTML})
}

// fileKey is the key of a page's file in the parser's context.
var fileKey = parser.NewContextKey()

// A linkRewriter has links between files lead from page to page. Links to files that are no pages become text, and so do
// pictures.
type linkRewriter struct{}

// Transform changes the links of a page.
func (linkRewriter) Transform(page *ast.Document, _ text.Reader, context parser.Context) {
	file, _ := context.Get(fileKey).(string)
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
			address, ok := docsLink(file, string(n.Destination))
			if !ok {
				unlinked = append(unlinked, n)
			}
			n.Destination = []byte(address)
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

// docsLink returns the address, relative to the page of a file, of what a link in that file leads to. It is not ok where
// there is no page of it.
func docsLink(file, link string) (address string, ok bool) {
	target, anchor, hasAnchor := strings.Cut(link, "#")
	if target == "" || strings.Contains(target, "://") {
		return link, true
	}
	target = path.Join(path.Dir(file), target)
	if _, err := fs.Stat(imapexporter.Documentation, target); err != nil || path.Ext(target) != ".md" {
		return "", false
	}
	address = strings.Repeat("../", strings.Count(docsName(file), "/")) + docsName(target)
	if hasAnchor {
		address += "#" + anchor
	}
	return address, true
}

// headingIDs gives headings the ids that our links and the usual Git hosts use.
type headingIDs struct{}

// Generate returns the id of a heading.
func (headingIDs) Generate(heading []byte, _ ast.NodeKind) []byte {
	return []byte(strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, string(heading)))
}

// Put does nothing: two headings of a page never have the same text.
func (headingIDs) Put([]byte) {}
