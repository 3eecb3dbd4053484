package directive

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEveryMatchHoldsALiteral makes sentences that each expression takes: none may be missed for want of a literal.
func TestEveryMatchHoldsALiteral(t *testing.T) {
	t.Parallel()
	for _, s := range signs {
		rapid.Check(t, func(t *rapid.T) {
			text := rapid.StringMatching(s.pattern.String()).Draw(t, "sentence")
			if !slices.ContainsFunc(s.literals, func(l string) bool { return strings.Contains(text, l) }) {
				t.Fatalf("%q", text)
			}
		})
	}
}
