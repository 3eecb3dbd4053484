// Package migrations holds the schema of the conversation service. Migrations only add; what is no longer used goes one
// release later, so that the old and the new program can run side by side.
package migrations

import "embed"

// Schema is the PostgreSQL schema that the service owns.
const Schema = "conversation"

// FS holds the migrations in tern's format.
//
//go:embed *.sql
var FS embed.FS
