package delivery_test

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/pacing"
	"github.com/knobot/knobot/services/channels/internal/reference"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

// lateRetries is after how long a message is sent again that failed late for the first time, by Meta's code.
var lateRetries = map[string]time.Duration{
	"130429": 5 * time.Second, "131056": 4 * time.Second, "131000": 4 * time.Second, "131016": 4 * time.Second,
}

// TestEveryCodeThatComesLateDoesWhatItsClassAsks reports each code of the reference's table that Meta sends in a status, after
// the message was accepted: what a retry cures is sent again by the same request, after the pause that the code asks for; config
// and blocked stop the number, template tells of the closed window, all others fail the message alone.
func TestEveryCodeThatComesLateDoesWhatItsClassAsks(t *testing.T) {
	t.Parallel()

	content, err := os.ReadFile(reference.Glob(t, "whatsapp/errors.tsv")[0])
	require.NoError(t, err)
	b := setup(t, channels.WhatsApp)
	service := delivery.New(delivery.Config{}, b.Store, b.Integrations, pacing.New(unlimited(), b.Store), map[channels.Platform]delivery.Provider{
		channels.WhatsApp: {Sender: b.Provider, Render: lines, Classify: whatsapp.Classify},
	}, b.Log)
	late := 0
	var seen []string
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		if columns[2] == "sync" {
			continue
		}
		late++
		seen = append(seen, columns[0])
		require.Equal(t, strings.HasPrefix(columns[3], "retry"), lateRetries[columns[0]] > 0, line)
		code, err := strconv.Atoi(columns[0])
		require.NoError(t, err)
		m := b.message("hola")
		m.RequestID = "code-" + columns[0]
		d, err := service.Send(t.Context(), m)
		require.NoError(t, err, line)
		outcomes, err := service.RecordReports(t.Context(), b.integration.ID, []channels.Report{
			{MessageID: d.Parts[0].MessageID, State: channels.DeliveryFailed, ErrorCode: code, ErrorMessage: "as Meta says"},
		})
		require.NoError(t, err, line)
		require.Equal(t, []channels.ReportOutcome{{
			RequestID: m.RequestID, State: channels.DeliveryFailed, WindowClosed: columns[3] == "template", RetryAfter: lateRetries[columns[0]],
		}}, outcomes, line)
		d, err = service.Get(t.Context(), m.RequestID)
		require.NoError(t, err)
		require.Equal(t, code, d.Parts[0].ErrorCode, line)
		i, err := b.Integrations.Get(t.Context(), b.integration.ID)
		require.NoError(t, err)
		state, _ := i.State()
		require.Equal(t, columns[3] == "config" || columns[3] == "blocked", state == channels.StateStopped, line)
		b.Exec(t, `update integrations set stop_reason = ''`)
		b.pass(t, time.Hour)
		sent := len(b.Provider.Calls())
		_, err = service.Send(t.Context(), m)
		require.NoError(t, err, line)
		_, again := lateRetries[columns[0]]
		require.Equal(t, again, len(b.Provider.Calls()) == sent+1, line)
	}
	require.Greater(t, late, 15)
	require.Subset(t, seen, slices.Collect(maps.Keys(lateRetries)))
}
