package collectors

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/probe"
)

const docs = "../docs/metrics.md"

// generated is a generated part of the documentation: what it is, its arguments, and its text.
var generated = regexp.MustCompile(`(?s)<!-- (metrics|ondemand|phases|reasons)([a-z_ ]*) -->\n(.*?)<!-- end -->`)

// TestDocs generates the tables of docs/metrics.md and compares them.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("testdata/full.prom")
	if err != nil {
		t.Fatal(err)
	}
	onDemand, err := os.ReadFile("testdata/ondemand.prom")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	want := generated.ReplaceAllStringFunc(string(text), func(old string) string {
		m := generated.FindStringSubmatch(old)
		body := ""
		switch m[1] {
		case "phases":
			body = valueTable(t, "phase", "../probe/phase.go", probe.IMAP.Phases)
		case "reasons":
			body = valueTable(t, "reason", "../probe/reason.go", probe.IMAP.Reasons)
		case "ondemand":
			body = metricTable(OnDemandCatalogue()) + "\n```\n" + exampleLines(t, OnDemandCatalogue(), string(onDemand)) + "```\n"
		case "metrics":
			var some []Metric
			for _, metric := range Catalogue() {
				if hasAnyPrefix(metric.Name, strings.Fields(m[2])) {
					some = append(some, metric)
					documented = append(documented, metric.Name)
				}
			}
			body = metricTable(some) + "\n```\n" + exampleLines(t, some, string(examples)) + "```\n"
		}
		return "<!-- " + m[1] + m[2] + " -->\n" + body + "<!-- end -->"
	})
	if *update {
		if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s is out of date (go test ./collectors -update writes it anew):\n%s", docs, diff)
	}
	var all []string
	for _, m := range Catalogue() {
		all = append(all, m.Name)
	}
	slices.Sort(all)
	slices.Sort(documented)
	if diff := cmp.Diff(all, documented); diff != "" {
		t.Errorf("not every metric is documented once:\n%s", diff)
	}
}

func hasAnyPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func metricTable(some []Metric) string {
	var b strings.Builder
	b.WriteString("| metric | type, unit | labels | meaning | absent |\n|---|---|---|---|---|\n")
	for _, m := range some {
		kind := string(m.Type)
		if m.Unit != "" {
			kind += ", " + m.Unit
		}
		labels := "–"
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "` `") + "`"
		}
		if m.Name == "imap_account_info" {
			labels += " and the account's own"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, kind, labels, m.Help, m.Absent)
	}
	return b.String()
}

// exampleLines takes a line of each metric from a golden page; of a histogram a bucket.
func exampleLines(t *testing.T, some []Metric, golden string) string {
	t.Helper()
	var b strings.Builder
	for _, m := range some {
		pattern := `(?m)^` + m.Name + `(\{.*\})? .*\n`
		if m.Type == Histogram {
			pattern = `(?m)^` + m.Name + `_bucket\{.*le="0.25"\} .*\n`
		}
		line := regexp.MustCompile(pattern).FindString(golden)
		if line == "" {
			t.Errorf("no example of %s", m.Name)
		}
		b.WriteString(line)
	}
	return b.String()
}

// valueTable lists the values of a closed type with the comments that its constants have in the source.
func valueTable[T ~string](t *testing.T, title, file string, values []T) string {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	meanings := make(map[T]string)
	ast.Inspect(source, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Doc != nil {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			meanings[T(value)] = meaning(spec.Doc.Text(), spec.Names[0].Name)
		}
		return true
	})
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | meaning |\n|---|---|\n", title)
	for _, v := range values {
		if meanings[v] == "" {
			t.Errorf("%s has no comment for %s", file, v)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", v, meanings[v])
	}
	if len(meanings) != len(values) {
		t.Errorf("%s has %d constants, but lists %d", file, len(meanings), len(values))
	}
	return b.String()
}

// meaning turns the comment of a constant into a sentence about its value.
func meaning(comment, name string) string {
	text := strings.TrimLeft(strings.TrimPrefix(comment, name), ": ")
	runes := []rune(strings.Join(strings.Fields(strings.TrimPrefix(text, "is ")), " "))
	if len(runes) > 0 {
		runes[0] = unicode.ToUpper(runes[0])
	}
	return string(runes)
}

// TestDocsNameNothingElse checks the prose and the queries.
func TestDocsNameNothingElse(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, m := range append(Catalogue(), OnDemandCatalogue()...) {
		known[m.Name] = true
		if m.Type == Histogram {
			known[m.Name+"_bucket"], known[m.Name+"_sum"], known[m.Name+"_count"] = true, true, true
		}
	}
	prose := regexp.MustCompile(`<!-- .* -->`).ReplaceAllString(string(text), "")
	for _, name := range regexp.MustCompile(`\bimap_[a-z0-9_]+`).FindAllString(prose, -1) {
		if !known[name] && name != "imap_exporter" {
			t.Errorf("%s names %s, which is not in the catalogue", docs, name)
		}
	}
}

// TestDocsNameTheCommonFailures keeps the sentence about counters that exist from the start equal to the code.
func TestDocsNameTheCommonFailures(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(string(text)), " ")
	var phases []string
	reasons := make(map[string]string)
	for _, f := range commonFailures() {
		phase := string(f.phase)
		if reasons[phase] == "" {
			phases = append(phases, phase)
		}
		reasons[phase] = strings.TrimSpace(reasons[phase] + " " + string(f.reason))
	}
	for _, phase := range phases {
		if !regexp.MustCompile("`" + phase + "`( and `[a-z]+`)? `" + reasons[phase] + "`").MatchString(flat) {
			t.Errorf("%s doesn't say that in `%s` `%s` exist from the start", docs, phase, reasons[phase])
		}
	}
}
