package whatsapp_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/reference"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

var (
	_ channels.Sender     = (*whatsapp.Client)(nil)
	_ channels.ReadMarker = (*whatsapp.Client)(nil)
)

// TestEveryListedCodeHasItsClass walks the reference's table of all codes.
func TestEveryListedCodeHasItsClass(t *testing.T) {
	t.Parallel()

	classes := map[string]channels.Class{
		"config": channels.ClassStopIntegration, "blocked": channels.ClassStopIntegration, "drop": channels.ClassDropRecipient,
		"drop_24h": channels.ClassDropRecipient, "retry": channels.ClassRetry, "retry_few": channels.ClassRetry,
		"retry_slow": channels.ClassThrottled, "retry_pair": channels.ClassPairThrottled, "template": channels.ClassWindowClosed,
		"never": channels.ClassInvalid, "inbound": channels.ClassInvalid,
	}
	exceptions := map[int]channels.Class{
		// The number as a whole has to wait, not only this message.
		130429: channels.ClassThrottled,
		// "blocked" stops the account. A template that Meta paused or disabled is no reason to silence the number.
		132015: channels.ClassInvalid,
		132016: channels.ClassInvalid,
	}
	content, err := os.ReadFile(reference.Glob(t, "whatsapp/errors.tsv")[0])
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")[1:]
	require.Greater(t, len(lines), 50)
	for _, line := range lines {
		columns := strings.Split(line, "\t")
		first, last, isRange := strings.Cut(columns[0], "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		require.NoError(t, err)
		to, err := strconv.Atoi(last)
		require.NoError(t, err)
		for code := from; code <= to; code++ {
			want, ok := exceptions[code]
			if !ok {
				want, ok = classes[columns[3]]
			}
			require.True(t, ok, line)
			require.Equal(t, want, whatsapp.Classify(code), line)
		}
	}
}
