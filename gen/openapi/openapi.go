// Package openapi holds the OpenAPI document of the management API, which make generate writes.
package openapi

import _ "embed"

//go:embed openapi.json
var document []byte

// Document returns the document as JSON. It must not be changed.
func Document() []byte { return document }
