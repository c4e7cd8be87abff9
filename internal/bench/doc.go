// Package bench measures what the exporter costs and how true its times are. It has nothing but benchmarks, run by
// `make bench`; docs/performance.md tells how they work and what they showed. Each compares two things in one run, so
// that its ratio holds on any machine.
package bench
