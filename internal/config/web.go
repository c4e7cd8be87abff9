package config

import "path/filepath"

// LoadWeb returns how the metrics are served, from the same places as Load, and looks at nothing else: it is for those
// who ask an exporter that may have been running since before the file was changed.
func LoadWeb(o Options) (Web, error) {
	l := newLoader(o)
	file := o.File
	if file == "" {
		file = DefaultFile
	}
	l.folder = filepath.Dir(file)
	var tree fileTree
	root := l.read(file, &tree)
	l.report = &report{} // What else is wrong with the file is no business of ours.
	root.doc.report = l.report
	r, err := newResolver(&tree, root, o.Flags)
	if err != nil {
		return Web{}, err
	}
	web := l.web(r)
	return web, l.report.err()
}
