package dashboards

// stat is one big value on a coloured background.
func stat(title, help string, queries ...target) panel {
	return newPanel("stat", title, help, queries).wide(3).
		option("reduceOptions", object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}).
		option("colorMode", "background_solid").option("graphMode", "none").option("justifyMode", "center").
		option("textMode", "value").option("wideLayout", true).option("orientation", "auto")
}

// named shows the name of the series instead of its value.
func (p panel) named() panel {
	return p.option("textMode", "name")
}

// plain colours the number of a stat instead of the background, because nobody needs to act on it.
func (p panel) plain() panel {
	return p.option("colorMode", "value")
}

// timeseries is a graph of lines.
func timeseries(title, help string, queries ...target) panel {
	return newPanel("timeseries", title, help, queries).
		option("legend", object{
			"displayMode": "table", "placement": "right", "showLegend": true, "calcs": []string{"lastNotNull", "max"},
			"sortBy": "Last *", "sortDesc": true,
		}).
		option("tooltip", object{"mode": "multi", "sort": "desc"}).
		look("drawStyle", "line").look("lineInterpolation", "linear").look("lineWidth", 2).look("fillOpacity", 8).
		look("showPoints", "auto").look("pointSize", 4).look("spanNulls", false)
}

// below puts the legend below a graph, as a list, for few series.
func (p panel) below() panel {
	return p.option("legend", object{
		"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{},
	})
}

// logarithmic makes the axis logarithmic, so that 20 µs and 2 s are visible in one graph.
func (p panel) logarithmic() panel {
	return p.look("scaleDistribution", object{"type": "log", "log": 10}).look("fillOpacity", 0)
}

// stacked puts one series on top of the other.
func (p panel) stacked() panel {
	return p.look("stacking", object{"mode": "normal", "group": "A"}).look("fillOpacity", 70).look("lineWidth", 0)
}

// bars shows stacked counts. Each covers only the time of its own point, so that they can be summed.
func (p panel) bars() panel {
	p.interval = rateInterval
	return p.stacked().look("drawStyle", "bars").look("fillOpacity", 85).look("barAlignment", -1)
}

// stateTimeline is a line of coloured states for each series.
func stateTimeline(title, help string, queries ...target) panel {
	return newPanel("state-timeline", title, help, queries).
		option("mergeValues", true).option("showValue", "never").option("alignValue", "left").option("rowHeight", 0.85).
		option("tooltip", object{"mode": "single", "sort": "none"}).
		option("legend", object{"displayMode": "list", "placement": "bottom", "showLegend": true}).
		look("lineWidth", 0).look("fillOpacity", 85).look("spanNulls", false).
		with("color", object{"mode": "continuous-GrYlRd"})
}

// heatmap shows the number of values in each bucket over time. Its query returns a histogram's buckets.
func heatmap(title, help, expr string) panel {
	buckets := target{expr: expr, legend: "{{le}}", format: "heatmap"}
	return newPanel("heatmap", title, help, []target{buckets}).
		option("calculate", false).
		option("color", object{"mode": "scheme", "scheme": "YlGnBu", "fill": "dark-orange", "scale": "exponential", "exponent": 0.4, "steps": 64, "reverse": false}).
		option("cellGap", 1).option("filterValues", object{"le": 1e-9}).
		option("rowsFrame", object{"layout": "auto"}).option("showValue", "never").
		option("legend", object{"show": true}).option("exemplars", object{"color": "rgba(255,255,255,0.7)"}).
		option("tooltip", object{"mode": "single", "yHistogram": true, "showColorScale": true}).
		option("yAxis", object{"axisPlacement": "left", "reverse": false, "unit": seconds})
}

// table is a table with pages of as many rows as fit.
func table(title, help string, columns ...target) panel {
	return newPanel("table", title, help, columns).wide(24).
		option("showHeader", true).option("cellHeight", "sm").
		option("footer", footer(true)).
		look("align", "auto").look("cellOptions", object{"type": "auto"}).look("inspect", false).look("filterable", false).look("minWidth", 60)
}

// sorted sorts a table by the columns with these titles, the greatest first.
func (p panel) sorted(titles ...string) panel {
	var by []object
	for _, title := range titles {
		by = append(by, object{"displayName": title, "desc": true})
	}
	return p.option("sortBy", by)
}

// onePage makes a short table scroll instead of having pages.
func (p panel) onePage() panel {
	return p.option("footer", footer(false))
}

func footer(pages bool) object {
	return object{"show": false, "reducer": []string{"sum"}, "countRows": false, "fields": "", "enablePagination": pages}
}

// barGauge is a bar for each series.
func barGauge(title, help string, queries ...target) panel {
	return newPanel("bargauge", title, help, queries).
		option("reduceOptions", object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}).
		option("displayMode", "basic").option("orientation", "horizontal").option("valueMode", "color").option("showUnfilled", true).
		option("minVizHeight", 12).option("maxVizHeight", 26).option("namePlacement", "left").option("sizing", "auto")
}
