// Package dashboards makes the Grafana dashboards of the exporter. The JSON files beside it are what people install; they
// are written from here, so that the four of them look alike, link to each other and can't drift apart.
//
// To change a panel, find its title in overview.go, account.go, server.go or exporter.go, change it, and write the files:
//
//	go test ./dashboards -update
//
// A panel is one chain: its kind, title and description, its queries, and how it looks.
//
//	timeseries("CPU", "Cores that the exporter uses. …",
//		query(`rate(process_cpu_seconds_total{@}[$__rate_interval])`, "{{instance}}"),
//	).unit(cores).wide(8)
//
// In a query, {@} stands for the dashboard's own selector, such as {job=~"$job", instance=~"$instance"}, and
// {@, phase="auth"} adds to it. Nobody computes places: a row has a height, its panels have widths, and grid.go puts one
// beside the other, 24 columns to a line.
//
// Queries that several dashboards ask are in queries.go, panels that they share in shared.go, colours and thresholds in
// theme.go. Grafana's JSON is in render.go, and nowhere else.
//
// The tests refuse what would be broken in Grafana: a panel without description or unit, a selector that forgets the
// instance, PromQL that doesn't parse, a metric that the exporter doesn't have, a link into the void (lint_test.go).
// The program itself doesn't contain this package.
package dashboards
