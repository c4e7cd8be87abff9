// Package stack tests that all we ship works together: the exporter with its demo, a Prometheus with our rules, an
// Alertmanager with the configuration of deploy/compose, and the queries of our dashboards. It has tests only.
package stack
