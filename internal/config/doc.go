// Package config reads and validates the configuration: file, flags and environment. Every account becomes a probe.Target with
// its address, its TLS configuration and a function that reads its secret. No other package reads YAML, secrets or the
// environment.
//
// A configuration is accepted as a whole or not at all. All errors are reported at once, one line each:
//
//	config.yaml:12: accounts[0].pasword: unknown key: did you mean password?
//
// Two rules keep secrets out of these lines: no values are repeated except paths and the names of modules, and of the YAML
// library's messages, many of which quote values, only the fixed texts of its parser are used.
package config
