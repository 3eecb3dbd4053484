package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
)

// TestEveryThreatIsClosedByATestThatExists holds the table of docs/security.md against the tests that it names.
func TestEveryThreatIsClosedByATestThatExists(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(system.Root(), "docs", "security.md"))
	require.NoError(t, err)
	named := regexp.MustCompile("`([a-z0-9_/]+_test\\.go) (Test\\w+)(?:/(\\w+))?`")
	threats := 0
	for _, row := range strings.Split(string(text), "\n") {
		columns := strings.Split(row, " | ")
		if !strings.HasPrefix(row, "| ") || len(columns) != 3 || strings.HasPrefix(row, "| threat") {
			continue
		}
		threats++
		tests := named.FindAllStringSubmatch(columns[2], -1)
		if len(tests) == 0 {
			script := strings.Trim(columns[2], "` |")
			require.FileExists(t, filepath.Join(system.Root(), script), "nothing closes: %s", row)
			continue
		}
		for _, test := range tests {
			source, err := os.ReadFile(filepath.Join(system.Root(), test[1]))
			require.NoError(t, err, "%s is named in docs/security.md", test[1])
			require.Contains(t, string(source), "func "+test[2]+"(t *testing.T)", test[1])
			if test[3] != "" {
				require.Contains(t, string(source), `"`+test[3]+`"`, "%s of %s", test[2], test[1])
			}
		}
	}
	require.Greater(t, threats, 12, "the table is read")
}
