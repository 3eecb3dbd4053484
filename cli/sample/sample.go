// Package sample is the knowledge base that KnoBot shows itself with: Spanish
// documents of an invented bookshop and stationer's, Librería y Papelería La
// Ceiba. People, prices and addresses are made up.
package sample

import (
	"embed"
	"io/fs"
)

//go:embed *.md
var documents embed.FS

// Documents returns the Markdown documents, one file each.
func Documents() fs.FS { return documents }
