package config

// LoadWeb returns how the metrics are served, from the same places as Load. It reports only errors in that, for commands
// that ask a running exporter: the file may have changed since it started.
func LoadWeb(o Options) (Web, error) {
	l := newLoader(o)
	var raw rawConfig
	root := l.read(l.main, &raw)
	l.diagnostics = &diagnostics{} // Errors of other keys don't matter here.
	root.file.diagnostics = l.diagnostics
	var c Config
	l.applySettings(&c, &raw, root, "web.")
	return c.Web, l.diagnostics.err()
}
