// Package config turns the configuration into finished values: every account becomes a probe.Target with its TLS settings
// built, its address known and its secret one call away. It is the only package that reads YAML, secrets or the environment.
//
// A configuration is accepted as a whole or not at all. Everything wrong with it is reported at once, a line each:
//
//	config.yaml:12: accounts[0].pasword: unknown key: did you mean password?
//
// Two rules keep secrets out of these lines: no value is repeated, but for paths and the names of modules; and of the YAML
// library's messages, many of which quote values, only the fixed texts of its parser are shown.
package config
