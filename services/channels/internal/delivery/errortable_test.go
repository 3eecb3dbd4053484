package delivery_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/pacing"
	"github.com/knobot/knobot/services/channels/internal/reference"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

// TestEveryCodeThatComesLateDoesWhatItsClassAsks reports each code of the reference's table that Meta sends in a status, after
// the message was accepted: config and blocked stop the number, template tells of the closed window, all others fail the message alone.
func TestEveryCodeThatComesLateDoesWhatItsClassAsks(t *testing.T) {
	t.Parallel()

	content, err := os.ReadFile(reference.Glob(t, "whatsapp/errors.tsv")[0])
	require.NoError(t, err)
	b := setup(t, channels.WhatsApp)
	service := delivery.New(delivery.Config{}, b.Store, b.Integrations, pacing.New(unlimited(), b.Store), map[channels.Platform]delivery.Provider{
		channels.WhatsApp: {Sender: b.Provider, Render: lines, Classify: whatsapp.Classify},
	}, b.Log)
	late := 0
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		if columns[2] == "sync" {
			continue
		}
		late++
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
		require.Equal(t, []channels.ReportOutcome{
			{RequestID: m.RequestID, State: channels.DeliveryFailed, WindowClosed: columns[3] == "template"},
		}, outcomes, line)
		d, err = service.Get(t.Context(), m.RequestID)
		require.NoError(t, err)
		require.Equal(t, code, d.Parts[0].ErrorCode, line)
		i, err := b.Integrations.Get(t.Context(), b.integration.ID)
		require.NoError(t, err)
		state, _ := i.State()
		require.Equal(t, columns[3] == "config" || columns[3] == "blocked", state == channels.StateStopped, line)
		b.Exec(t, `update integrations set stop_reason = ''`)
	}
	require.Greater(t, late, 15)
}
