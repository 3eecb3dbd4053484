// Package requestid carries the id that ties a request's log lines, trace and
// error together across all services.
package requestid

import (
	"context"
	"crypto/rand"
)

// Header is the name of the id in gRPC metadata and in HTTP headers.
const Header = "x-request-id"

const maxLength = 64

type key struct{}

// New returns a fresh id of 26 characters.
func New() string { return rand.Text() }

// Accept returns id if it is safe to log and to send back (1 to 64 letters,
// digits, '-', '_' or '.'), else a fresh one.
func Accept(id string) string {
	if id == "" || len(id) > maxLength {
		return New()
	}
	for _, c := range []byte(id) {
		if !safe(c) {
			return New()
		}
	}
	return id
}

// With returns ctx with the id.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// From returns the id of ctx, or "".
func From(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}

func safe(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '_' || c == '.'
}
