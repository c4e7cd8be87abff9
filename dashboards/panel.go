package dashboards

import (
	"maps"
	"slices"
)

// object is a piece of Grafana's JSON.
type object = map[string]any

// A panel is one panel of a dashboard. The functions named after the kinds create one; its methods set its appearance.
type panel struct {
	kind, title, help string
	width             int
	queries           []target
	// interval is the minimum time between two points of a graph; the data source's own if empty.
	interval string
	// defaults are the settings of the values: unit, colours, texts.
	defaults object
	// custom are further settings that only this kind of panel has.
	custom          object
	options         object
	overrides       []override
	transformations []object
}

// A target is one query of a panel.
type target struct {
	expr, legend string
	// instant queries the values at the end of the time range, not over the range.
	instant bool
	// format is how Grafana reads the response: time_series, table or heatmap.
	format string
}

// query queries over the time range. The legend names a series by its labels, as in {{account}}.
func query(expr, legend string) target {
	return target{expr: expr, legend: legend, format: "time_series"}
}

// instantQuery queries at the end of the time range.
func instantQuery(expr, legend string) target {
	return target{expr: expr, legend: legend, format: "time_series", instant: true}
}

// column queries a column of a table. Its field is named "Value #" and the query's letter.
func column(expr string) target {
	return target{expr: expr, format: "table", instant: true}
}

// An override sets properties of the fields that a matcher selects.
type override struct {
	matcher, of string
	properties  []property
}

// A property is one setting of a field, by its path in Grafana's JSON.
type property struct {
	id    string
	value any
}

// The settings that several tables use. Those of custom are the table's own.
func fieldUnit(unit string) property      { return property{"unit", unit} }
func fieldDecimals(n int) property        { return property{"decimals", n} }
func fieldNone(text string) property      { return property{"noValue", text} }
func fieldWords(words ...word) property   { return property{"mappings", mappings(words)} }
func fieldColours(steps ...step) property { return property{"thresholds", thresholds(steps)} }
func fieldWidth(pixels int) property      { return property{"custom.width", pixels} }
func fieldMinWidth(pixels int) property   { return property{"custom.minWidth", pixels} }
func fieldFilter() property               { return property{"custom.filterable", true} }

func fieldColour(colour string) property {
	return property{"color", object{"mode": "fixed", "fixedColor": colour}}
}

// fieldCell is how a cell shows its value: color-text, color-background or gauge.
func fieldCell(kind string) property {
	return property{"custom.cellOptions", object{"type": kind, "mode": "basic"}}
}

func newPanel(kind, title, help string, queries []target) panel {
	return panel{
		kind: kind, title: title, help: help, width: columns / 2, queries: queries,
		defaults: object{}, custom: object{}, options: object{},
	}
}

// wide sets the width in columns, of 24.
func (p panel) wide(width int) panel {
	p.width = width
	return p
}

// unit sets the unit of the values, one of those in theme.go.
func (p panel) unit(unit string) panel {
	return p.with("unit", unit)
}

// none sets the text that is shown if there is no value.
func (p panel) none(text string) panel {
	return p.with("noValue", text)
}

// decimals sets the number of decimals.
func (p panel) decimals(n int) panel {
	return p.with("decimals", n)
}

// between sets the smallest and the largest expected value.
func (p panel) between(least, most float64) panel {
	return p.with("min", least).with("max", most)
}

// from0 makes the axis begin at 0.
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

// look sets one of the settings of fields that only this kind of panel has.
func (p panel) look(name string, value any) panel {
	p.custom = merged(p.custom, name, value)
	return p
}

// option sets an option of this kind of panel.
func (p panel) option(name string, value any) panel {
	p.options = merged(p.options, name, value)
	return p
}

// field sets properties of the field of this name.
func (p panel) field(name string, properties ...property) panel {
	return p.override(override{"byName", name, properties})
}

func (p panel) override(overrides ...override) panel {
	p.overrides = append(slices.Clip(p.overrides), overrides...)
	return p
}

// counting is for whole numbers from 0. If all values are 0, the axis ends at 1.
func (p panel) counting() panel {
	return p.unit(count).decimals(0).from0().look("axisSoftMax", 1)
}

// transform makes Grafana transform the responses before it shows them.
func (p panel) transform(id string, options object) panel {
	p.transformations = append(slices.Clip(p.transformations), object{"id": id, "options": options})
	return p
}

// merged returns a copy of o with one more entry, so that panels derived from each other share no maps.
func merged(o object, name string, value any) object {
	c := maps.Clone(o)
	c[name] = value
	return c
}
