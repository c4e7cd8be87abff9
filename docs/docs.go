// Package docs has the documentation in it, for the program to show.
package docs

import "embed"

// Files are the pages, by their names in this folder.
//
//go:embed *.md */*.md
var Files embed.FS
