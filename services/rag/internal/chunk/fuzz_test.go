package chunk_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/chunk"
)

// FuzzSplit cuts what strangers call a page or a document: into passages that can be stored, or not at all, with a reason.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"# A\n\nHola\n\n## B\n\n- x\n", "<title>T</title><h1>A</h1><table><tr><td>x</table><p>y", "<script>alert(1)</script>", "a\x00b", "|a|b|\n|-|-|\n|1|2|\n",
		strings.Repeat("<div>", 300) + "x", strings.Repeat("> ", 100) + "x", "```\nx", "[x](javascript:y)", "&#x1F600;&nbsp;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		for _, kind := range []rag.ContentType{rag.PlainText, rag.Markdown, rag.HTML} {
			out, err := chunk.Split(chunk.Source{Name: "a.md", Type: kind, Content: []byte(content)})
			if err != nil {
				known := errors.Is(err, chunk.ErrEncoding) || errors.Is(err, chunk.ErrUnreadable) || errors.Is(err, chunk.ErrTooMany)
				require.True(t, known, "%v", err)
				continue
			}
			require.NotEmpty(t, out.Title)
			for _, p := range out.Passages {
				require.True(t, utf8.ValidString(p.Text))
				require.NotContains(t, p.Text, "\x00", "PostgreSQL stores none")
				require.NotEmpty(t, strings.TrimSpace(p.Text))
			}
		}
	})
}
