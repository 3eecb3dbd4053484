package sample_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/cli/sample"
)

// maxWords keeps a section to what one passage can hold.
const maxWords = 90

func TestDocuments(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(sample.Documents(), "*.md")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 20)
	titles := map[string]string{}
	for _, name := range names {
		content, err := fs.ReadFile(sample.Documents(), name)
		require.NoError(t, err)
		title, body, _ := strings.Cut(string(content), "\n")
		require.NotContains(t, titles, title, "two documents of one title")
		titles[title] = name
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Regexp(t, `^# \S`, title)
			sections := regexp.MustCompile(`(?m)^## `).Split(body, -1)
			require.Empty(t, strings.TrimSpace(sections[0]), "text belongs under a section's heading")
			require.GreaterOrEqual(t, len(sections), 3)
			for _, section := range sections[1:] {
				heading, text, _ := strings.Cut(section, "\n")
				require.NotEmpty(t, strings.TrimSpace(text), heading)
				require.LessOrEqual(t, len(strings.Fields(text)), maxWords, heading)
			}
		})
	}
}
