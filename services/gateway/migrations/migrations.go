// Package migrations holds the schema of the gateway, in tern's format.
package migrations

import "embed"

// FS holds 001_name.sql and its successors.
//
//go:embed *.sql
var FS embed.FS
