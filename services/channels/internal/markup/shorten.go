package markup

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Shorten cuts a label to at most limit UTF-16 code units, between characters, and says so with an ellipsis.
func Shorten(label string, limit int) string {
	if units(label) <= limit {
		return label
	}
	kept, used := 0, 1 // the ellipsis
	for g := uniseg.NewGraphemes(label); g.Next(); {
		if used += units(g.Str()); used > limit {
			break
		}
		_, kept = g.Positions()
	}
	return strings.TrimRight(label[:kept], " ") + "…"
}
