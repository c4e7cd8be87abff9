package dashboards

import (
	"maps"
	"slices"
)

// object is a piece of Grafana's JSON.
type object = map[string]any

// A panel is one picture. The functions named after the kinds make one, its methods say how it looks.
type panel struct {
	kind, title, help string
	width             int
	queries           []target
	// interval is the least time between two points of a graph; the data source's own if empty.
	interval string
	// defaults is how the values look: unit, colours, texts.
	defaults object
	// custom is what this kind of panel alone knows of them.
	custom          object
	options         object
	overrides       []override
	transformations []object
}

// A target is one query of a panel.
type target struct {
	expr, legend string
	// instant asks for the values at the end of the time range, not along it.
	instant bool
	// format is how Grafana reads the answer: time_series, table or heatmap.
	format string
}

// query asks along the time range. The legend names a series by its labels, as in {{account}}.
func query(expr, legend string) target {
	return target{expr: expr, legend: legend, format: "time_series"}
}

// now asks at the end of the time range.
func now(expr, legend string) target {
	return target{expr: expr, legend: legend, format: "time_series", instant: true}
}

// column asks for a table's column, whose field is called "Value #" and the query's letter.
func column(expr string) target {
	return target{expr: expr, format: "table", instant: true}
}

// An override is how the fields look that one matcher finds.
type override struct {
	matcher, of string
	properties  []property
}

// A property is one setting of a field, by its path in Grafana's JSON.
type property struct {
	id    string
	value any
}

func newPanel(kind, title, help string, queries []target) panel {
	return panel{
		kind: kind, title: title, help: help, width: columns / 2, queries: queries,
		defaults: object{}, custom: object{}, options: object{},
	}
}

// wide sets the width, of 24 columns.
func (p panel) wide(width int) panel {
	p.width = width
	return p
}

// unit sets the unit of the values, one of those in theme.go.
func (p panel) unit(unit string) panel {
	return p.with("unit", unit)
}

// none sets what stands there when there is no value.
func (p panel) none(text string) panel {
	return p.with("noValue", text)
}

// decimals sets how many of them are shown.
func (p panel) decimals(n int) panel {
	return p.with("decimals", n)
}

// between sets the least and the greatest value to be expected.
func (p panel) between(least, most float64) panel {
	return p.with("min", least).with("max", most)
}

// from0 lets the axis begin at 0.
func (p panel) from0() panel {
	return p.with("min", 0)
}

// coloured colours values by the steps.
func (p panel) coloured(steps ...step) panel {
	return p.with("thresholds", thresholds(steps)).with("color", object{"mode": "thresholds"})
}

// mapped shows words instead of numbers.
func (p panel) mapped(words ...word) panel {
	return p.with("mappings", mappings(words))
}

// with sets one of the defaults of the fields.
func (p panel) with(name string, value any) panel {
	p.defaults = merged(p.defaults, name, value)
	return p
}

// look sets what this kind of panel alone knows of fields.
func (p panel) look(name string, value any) panel {
	p.custom = merged(p.custom, name, value)
	return p
}

// option sets an option of this kind of panel.
func (p panel) option(name string, value any) panel {
	p.options = merged(p.options, name, value)
	return p
}

// field sets how the field of this name looks.
func (p panel) field(name string, properties ...property) panel {
	return p.override(override{"byName", name, properties})
}

func (p panel) override(overrides ...override) panel {
	p.overrides = append(slices.Clip(p.overrides), overrides...)
	return p
}

// counting is for whole numbers from 0 on. An axis with nothing but 0 on it then ends at 1.
func (p panel) counting() panel {
	return p.unit(count).decimals(0).from0().look("axisSoftMax", 1)
}

// transform lets Grafana change the answers before it shows them.
func (p panel) transform(id string, options object) panel {
	p.transformations = append(slices.Clip(p.transformations), object{"id": id, "options": options})
	return p
}

// merged is a copy of o with one more entry, so that panels made from one another share nothing.
func merged(o object, name string, value any) object {
	c := maps.Clone(o)
	c[name] = value
	return c
}
