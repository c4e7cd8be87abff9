package config

import "path/filepath"

// LoadWeb returns how the metrics are served, from the same places as Load. It reports only errors in that, for commands
// that ask a running exporter: the file may have changed since it started.
func LoadWeb(o Options) (Web, error) {
	l := newLoader(o)
	file := o.File
	if file == "" {
		file = DefaultFile
	}
	l.dir = filepath.Dir(file)
	var raw rawConfig
	root := l.read(file, &raw)
	l.diagnostics = &diagnostics{} // Errors of other keys don't matter here.
	root.file.diagnostics = l.diagnostics
	var c Config
	l.applySettings(&c, &raw, root, "web.")
	return c.Web, l.diagnostics.err()
}
