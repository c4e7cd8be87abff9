package dashboards

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// model is a dashboard read from its file, so that the rules apply to what people install.
type model struct {
	UID, Title, Description string
	Editable                bool
	Tags                    []string
	SchemaVersion           int
	Inputs                  []any `json:"__inputs"`
	Links                   []struct{ URL string }
	Templating              struct{ List []modelVariable }
	Panels                  []modelPanel
	// text is the whole file.
	text string
}

type modelVariable struct {
	Name, Type, Label, Definition, AllValue string
	Refresh                                 int
	Multi, IncludeAll                       bool
	Datasource                              modelSource
}

type modelSource struct{ Type, UID string }

type modelPanel struct {
	ID                       int
	Type, Title, Description string
	Repeat                   string
	GridPos                  gridPos
	Datasource               modelSource
	Targets                  []modelTarget
	FieldConfig              struct {
		Defaults struct{ Unit, NoValue string }
	}
	// Panels are the panels of a collapsed row.
	Panels []modelPanel
}

type modelTarget struct {
	Expr, LegendFormat, Format string
	Instant                    bool
	Datasource                 modelSource
}

// A rule returns a sentence for each fault of a dashboard.
type rule struct {
	name  string
	check func(d model) []string
}

// rules are all rules; broken_test.go has a dashboard that breaks each.
var rules = []rule{
	{"dashboard", checkDashboard},
	{"variables", checkVariables},
	{"variable use", checkVariableUse},
	{"data source", checkSource},
	{"texts", checkTexts},
	{"legend", checkLegends},
	{"numbers", checkNumbers},
	{"grid", checkGrid},
	{"selectors", checkSelectors},
	{"counters", checkCounters},
	{"joins", checkJoins},
	{"metrics", checkMetrics},
	{"links", checkLinks},
}

// TestRules checks all dashboards against all rules.
func TestRules(t *testing.T) {
	for _, d := range All() {
		made, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		m := parse(t, string(made))
		for _, r := range rules {
			for _, problem := range r.check(m) {
				t.Errorf("%s: %s: %s", d.File(), r.name, problem)
			}
		}
	}
}

func parse(t *testing.T, text string) model {
	t.Helper()
	m := model{text: text}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// all returns the panels, including those in collapsed rows, without the headings.
func (d model) all() []modelPanel {
	var list []modelPanel
	for _, p := range d.Panels {
		if p.Type != "row" {
			list = append(list, p)
		}
		list = append(list, p.Panels...)
	}
	return list
}

// each calls f for each query, and returns the faults that it finds, with the panel's title.
func (d model) each(f func(p modelPanel, q modelTarget) []string) (problems []string) {
	for _, p := range d.all() {
		for _, q := range p.Targets {
			for _, problem := range f(p, q) {
				problems = append(problems, fmt.Sprintf("%q: %s", p.Title, problem))
			}
		}
	}
	return problems
}

// when returns the sentence if the condition is true.
func when(wrong bool, format string, args ...any) []string {
	if !wrong {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}

func checkDashboard(d model) []string {
	return slices.Concat(
		when(!strings.HasPrefix(d.UID, "imap-"), "the uid %q doesn't begin with imap-", d.UID),
		when(!strings.HasPrefix(d.Title, "IMAP / "), "the title %q doesn't begin with IMAP /", d.Title),
		when(!slices.Contains(d.Tags, tag), "it has no tag %s", tag),
		when(d.Description == "", "it has no description"),
		when(d.Editable, "it is editable: changes in Grafana would be lost"),
		when(d.SchemaVersion < 39 || d.SchemaVersion > 41, "schemaVersion %d is not classic Grafana 11 or 12", d.SchemaVersion),
		when(d.Inputs != nil, "it has __inputs, which file provisioning doesn't fill in"),
	)
}

func checkVariables(d model) (problems []string) {
	named := map[string]modelVariable{}
	for _, v := range d.Templating.List {
		named[v.Name] = v
		problems = append(problems, when(v.Label == "", "variable %s has no label", v.Name)...)
		if v.Type == "query" {
			problems = append(problems, when(v.Refresh != 2, "variable %s is not asked anew when the time range changes", v.Name)...)
		}
	}
	source := named["datasource"]
	problems = append(problems, when(source.Type != "datasource" || source.Label != "Data source", "there is no choice of the data source")...)
	for _, name := range []string{"job", "instance"} {
		v := named[name]
		good := v.Type == "query" && v.Multi && v.IncludeAll && v.AllValue == ".+"
		problems = append(problems, when(!good, "variable %s is not a query of several values with all as .+", name)...)
	}
	return problems
}

// dollar matches a use of a variable.
var dollar = regexp.MustCompile(`\$\{?(\w+)`)

// checkVariableUse finds variables that are used but not defined, or defined but not used.
func checkVariableUse(d model) (problems []string) {
	known := map[string]bool{"__all": true, "__rate_interval": true, "__range": true, "__value": true, "__data": true, "__url_time_range": true}
	for _, v := range d.Templating.List {
		known[v.Name] = false
	}
	for _, found := range dollar.FindAllStringSubmatch(d.text, -1) {
		if _, ok := known[found[1]]; !ok {
			problems = append(problems, "there is no variable $"+found[1])
		}
		known[found[1]] = true
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		problems = append(problems, when(!known[name], "nothing uses the variable $%s", name)...)
	}
	return problems
}

func checkSource(d model) (problems []string) {
	want := modelSource{"prometheus", "${datasource}"}
	for _, v := range d.Templating.List {
		problems = append(problems, when(v.Type == "query" && v.Datasource != want, "variable %s asks %v", v.Name, v.Datasource)...)
	}
	for _, p := range d.all() {
		problems = append(problems, when(p.Datasource != want, "%q asks %v", p.Title, p.Datasource)...)
	}
	return append(problems, d.each(func(_ modelPanel, q modelTarget) []string {
		return when(q.Datasource != want, "a query asks %v", q.Datasource)
	})...)
}

func checkTexts(d model) (problems []string) {
	titles := map[string]bool{}
	for _, p := range d.all() {
		problems = slices.Concat(problems,
			when(p.Title == "", "panel %d has no title", p.ID),
			when(titles[p.Title], "there are two panels %q", p.Title),
			when(len(p.Description) < 30 || !strings.HasSuffix(p.Description, "."), "%q has no description that is a sentence", p.Title),
			when(p.FieldConfig.Defaults.Unit == "", "%q has no unit", p.Title),
			when(p.FieldConfig.Defaults.NoValue == "", "%q doesn't say what no data means", p.Title),
			when(len(p.Targets) == 0, "%q has no query", p.Title),
			when(p.Repeat != "", "%q is repeated, a thousand times with a thousand accounts", p.Title),
		)
		titles[p.Title] = true
	}
	return problems
}

// checkLegends requires a legend for each line, and the format table for tables.
func checkLegends(d model) []string {
	return d.each(func(p modelPanel, q modelTarget) []string {
		return slices.Concat(
			when(!q.Instant && q.LegendFormat == "", "a line has no name"),
			when((p.Type == "table") != (q.Format == "table"), "format %s in a %s", q.Format, p.Type),
			when((p.Type == "heatmap") != (q.Format == "heatmap"), "format %s in a %s", q.Format, p.Type),
		)
	})
}

func checkNumbers(d model) (problems []string) {
	seen := map[int]bool{}
	rows := slices.DeleteFunc(slices.Clone(d.Panels), func(p modelPanel) bool { return p.Type != "row" })
	for _, p := range append(d.all(), rows...) {
		problems = append(problems, when(p.ID == 0 || seen[p.ID], "panel id %d of %q is not its own", p.ID, p.Title)...)
		seen[p.ID] = true
	}
	return problems
}

// checkGrid finds panels that overlap or leave a gap. The panels of a collapsed row have their own grid.
func checkGrid(d model) (problems []string) {
	grids := [][]modelPanel{d.Panels}
	for _, p := range d.Panels {
		grids = append(grids, p.Panels)
	}
	for _, grid := range grids {
		taken := map[[2]int]string{}
		top, bottom := 1<<20, 0
		for _, p := range grid {
			g := p.GridPos
			problems = append(problems, when(g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > columns, "%q is not inside the grid: %+v", p.Title, g)...)
			top, bottom = min(top, g.Y), max(bottom, g.Y+g.H)
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other, there := taken[[2]int{x, y}]; there {
						return append(problems, fmt.Sprintf("%q and %q overlap", other, p.Title))
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
		problems = append(problems, when(len(grid) > 0 && len(taken) != columns*(bottom-top), "there are holes between the panels")...)
	}
	return problems
}
