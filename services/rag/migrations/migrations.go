// Package migrations holds the schema of the rag service, in the order of its making.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed *.sql
var files embed.FS

// Files returns the migrations, named 001_name.sql and so on.
func Files() fs.FS { return files }
