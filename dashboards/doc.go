// Package dashboards generates the Grafana dashboards of the exporter: the JSON files in this folder, which people install.
// The four dashboards share queries, colours and links.
//
// To change a panel, find its title in overview.go, account.go, server.go or exporter.go, change it, and write the files:
//
//	go test ./dashboards -update
//
// A panel is one chain of calls: its kind, title and description, its queries, and its appearance.
//
//	timeseries("CPU", "Cores that the exporter uses. …",
//		query(`rate(process_cpu_seconds_total{@}[$__rate_interval])`, "{{instance}}"),
//	).unit(cores).wide(8)
//
// In a query, {@} stands for the dashboard's own selector, such as {job=~"$job", instance=~"$instance"}, and
// {@, phase="auth"} adds to it. A row has a height, its panels have widths, and grid.go computes their positions, with 24
// columns to a line.
//
// Shared queries are in queries.go, shared panels in shared.go, colours and thresholds in theme.go. Only render.go knows
// Grafana's JSON.
//
// The tests reject what would be broken in Grafana: a panel without description or unit, a selector without the
// instance, PromQL that doesn't parse, a metric that the exporter doesn't have, a dead link (lint_test.go).
// The program itself doesn't contain this package.
package dashboards
