// Package bench measures what the exporter costs and how accurate its durations are. It has only benchmarks, which
// `make bench` runs; docs/performance.md describes them and their results. Each compares two things in one run, so that the
// ratio holds on any machine.
package bench
