package env_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"
)

func TestMarkdownListsEverySetting(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	require.NoError(t, env.WriteMarkdown(&page))
	for _, n := range env.Names() {
		require.Contains(t, page.String(), "| `"+n.Name+"` | "+n.Meaning+" |")
	}
}
