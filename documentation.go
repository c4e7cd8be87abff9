// Package imapexporter has the documentation of the repository, for the program to serve.
package imapexporter

import "embed"

// Documentation has the pages in Markdown, by their paths in the repository.
//
//go:embed README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md docs/*.md docs/*/*.md
var Documentation embed.FS
