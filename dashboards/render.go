package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// Grafana's version of the dashboard's schema, and of the panels. Newer versions of Grafana migrate them.
const (
	schemaVersion = 39 // Grafana 11.0
	pluginVersion = "11.0.0"
)

// tag marks the dashboards in Grafana's list.
const tag = "imap"

// source is the selected data source.
func source() object {
	return object{"type": "prometheus", "uid": "${datasource}"}
}

// JSON returns the dashboard as Grafana reads it.
func (d Dashboard) JSON() ([]byte, error) {
	model := object{
		"uid": d.UID, "title": d.Title, "description": d.Help, "tags": []string{tag},
		"editable": false, "graphTooltip": 1, "schemaVersion": schemaVersion, "version": 1, "liveNow": false,
		"refresh": "1m", "time": object{"from": d.from, "to": "now"}, "timezone": "browser", "weekStart": "",
		"timepicker": object{}, "fiscalYearStartMonth": 0, "id": nil, "preload": false,
		"annotations": object{"list": []object{}}, "links": d.links(),
		"templating": object{"list": d.variableList()}, "panels": d.panelList(),
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(model); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return b.Bytes(), nil
}

// links lead to the other dashboards, with the same time range and exporters. The selected server is passed on only from an
// account to its server: an overview of one server that looks like all of them would mislead.
func (d Dashboard) links() []object {
	var list []object
	for _, to := range []struct{ uid, title string }{
		{overviewUID, "Overview"}, {accountUID, "Account"}, {serverUID, "Server"}, {exporterUID, "Exporter"},
	} {
		if to.uid == d.UID {
			continue
		}
		url := "/d/" + to.uid + "/" + to.uid + "?var-datasource=${datasource}&${job:queryparam}&${instance:queryparam}"
		if d.UID == accountUID && to.uid == serverUID {
			url += "&${server:queryparam}"
		}
		list = append(list, object{
			"type": "link", "title": to.title, "tooltip": "", "icon": "dashboard", "url": url,
			"includeVars": false, "keepTime": true, "targetBlank": false, "asDropdown": false, "tags": []string{},
		})
	}
	return list
}

func (d Dashboard) variableList() []object {
	list := []object{{
		"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "regex": "",
		"hide": 0, "refresh": 1, "multi": false, "includeAll": false, "options": []object{}, "current": object{},
		"description": "The Prometheus that scrapes the exporters.", "skipUrlSync": false,
	}}
	for _, v := range d.variables {
		list = append(list, v.json())
	}
	return list
}

func (v variable) json() object {
	o := object{"name": v.name, "label": v.label, "description": v.help, "hide": 0, "skipUrlSync": false}
	switch {
	case v.query != "":
		maps.Copy(o, object{
			"type": "query", "datasource": source(), "definition": v.query, "refresh": 2, "sort": 1, "regex": "",
			"query":   object{"query": v.query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
			"options": []object{}, "current": object{}, "multi": v.all, "includeAll": v.all,
		})
		if v.all {
			o["allValue"] = ".+"
			o["current"] = object{"text": []string{"All"}, "value": []string{"$__all"}}
		}
	case v.choices != nil:
		var options []object
		for _, choice := range v.choices {
			options = append(options, option(choice, choice == v.value))
		}
		maps.Copy(o, object{
			"type": "custom", "query": strings.Join(v.choices, ","), "options": options, "current": option(v.value, true),
			"multi": false, "includeAll": false,
		})
	default:
		maps.Copy(o, object{
			"type": "textbox", "query": v.value, "options": []object{option(v.value, true)}, "current": option(v.value, true),
		})
	}
	return o
}

func option(value string, selected bool) object {
	return object{"text": value, "value": value, "selected": selected}
}

// panelList returns the panels and the headings of the rows, positioned and numbered from 1.
func (d Dashboard) panelList() []object {
	list := []object{}
	y, id := 0, 0
	for _, r := range d.rows {
		heading, places, next := r.layout(y)
		var panels []object
		if r.title != "" {
			id++
			list = append(list, object{
				"type": "row", "title": r.title, "id": id, "gridPos": heading, "collapsed": r.collapsed, "panels": []object{},
			})
		}
		for i, p := range r.panels {
			id++
			panels = append(panels, d.panel(p, id, places[i]))
		}
		if r.collapsed {
			list[len(list)-1]["panels"] = panels
			next = heading.Y + headingHeight
		} else {
			list = append(list, panels...)
		}
		y = next
	}
	return list
}

func (d Dashboard) panel(p panel, id int, at gridPos) object {
	defaults := maps.Clone(p.defaults)
	defaults["custom"] = p.custom
	overrides := []object{}
	for _, o := range p.overrides {
		var properties []object
		for _, s := range o.properties {
			properties = append(properties, object{"id": s.id, "value": s.value})
		}
		overrides = append(overrides, object{
			"matcher": object{"id": o.matcher, "options": o.of}, "properties": properties,
		})
	}
	model := object{
		"id": id, "type": p.kind, "title": p.title, "description": p.help, "gridPos": at, "pluginVersion": pluginVersion,
		"datasource": source(), "targets": d.targets(p), "options": p.options,
		"fieldConfig": object{"defaults": defaults, "overrides": overrides},
	}
	if p.transformations != nil {
		model["transformations"] = p.transformations
	}
	return model
}

func (d Dashboard) targets(p panel) []object {
	var list []object
	for i, q := range p.queries {
		o := object{
			"refId": string(rune('A' + i)), "datasource": source(), "expr": d.expr(q.expr), "editorMode": "code",
			"format": q.format, "instant": q.instant, "range": !q.instant,
		}
		if q.legend != "" {
			o["legendFormat"] = q.legend
		}
		if p.interval != "" {
			o["interval"] = p.interval
		}
		list = append(list, o)
	}
	return list
}

// expr replaces {@} by the dashboard's selector.
func (d Dashboard) expr(query string) string {
	return strings.ReplaceAll(strings.TrimSpace(query), "{@", "{"+d.selector)
}
