package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// TestIntegrationThatIsOff turns an integration of each platform off, on again, and deletes it. Its verified webhooks are
// acknowledged all the time; while it is off they are recorded as ignored and nothing else happens.
func TestIntegrationThatIsOff(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	for name, c := range map[string]*customer{
		"WhatsApp": whatsAppCustomer(t, s, "573002220001"), "Telegram": telegramCustomer(t, s, "7201", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.t = t
			offAndOn(t, acquainted(c))
		})
	}
}

func offAndOn(t *testing.T, a *acquaintance) {
	channels := channelsv1.NewIntegrationServiceClient(a.s.Conn(a.s.Channels))
	id := integrationOf(t, a.s, a.platform()).GetId()
	turn := func(on bool, state channelsv1.Integration_State) {
		r, err := channels.UpdateIntegration(t.Context(), &channelsv1.UpdateIntegrationRequest{
			Integration: &channelsv1.Integration{Id: id, Enabled: &on}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"enabled"}},
		})
		require.NoError(t, err)
		require.Equal(t, state, r.GetIntegration().GetState())
	}

	turn(false, channelsv1.Integration_STATE_DISABLED)
	a.awaitOutcome("ignored")
	a.isIgnored("¿Abren los domingos?")

	turn(true, channelsv1.Integration_STATE_ENABLED)
	a.awaitOutcome("recorded")
	body, _ := a.body(`"` + saturday + `"`)
	require.Equal(t, http.StatusOK, a.post(body))
	require.Contains(t, a.hear().Text, "10:00 a 14:00", "served again")
	require.Len(t, a.answers(), 2, "the question that was ignored stays unanswered")
	for _, m := range a.stored() {
		require.NotContains(t, m.GetText(), "domingos", "what was ignored is no part of the conversation")
	}

	_, err := channels.DeleteIntegration(t.Context(), &channelsv1.DeleteIntegrationRequest{Id: id})
	require.NoError(t, err)
	a.awaitOutcome("ignored")
	a.isIgnored("¿Abren los lunes?")
	left, err := channels.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{Platform: a.platform()})
	require.NoError(t, err)
	require.Empty(t, left.GetIntegrations())
}

// awaitOutcome posts reactions, which nobody answers, until one has that outcome: a change has then arrived everywhere.
func (a *acquaintance) awaitOutcome(want string) {
	a.t.Helper()
	eventually(a.t, 20*time.Second, func() bool {
		body, mark := a.reaction()
		require.Equal(a.t, http.StatusOK, a.post(body), "verified webhooks are acknowledged whatever the state")
		got := outcomes(a.log(mark))
		require.Len(a.t, got, 1)
		return got[0] == want
	}, "a reaction is "+want)
}

// isIgnored posts a question and shows that there is a row of it and nothing else: no read mark, no typing, no answer.
func (a *acquaintance) isIgnored(question string) {
	a.t.Helper()
	calls := func() ([]simulator.Call, error) {
		return a.s.Simulator.Journal(a.t.Context(), client.Filter{Chat: a.seen.Chat})
	}
	before, err := calls()
	require.NoError(a.t, err)
	body, mark := a.body(`"` + question + `"`)
	require.Equal(a.t, http.StatusOK, a.post(body))
	row := a.log(mark)
	require.Equal(a.t, []string{"ignored"}, outcomes(row))
	require.EqualValues(a.t, http.StatusOK, row.GetResponseStatus())
	require.NotNil(a.t, row.GetProcessedTime())
	require.Empty(a.t, row.GetEvents()[0].GetMessageId(), "no message, so no turn")
	require.Never(a.t, func() bool {
		after, err := calls()
		return err != nil || len(after) != len(before)
	}, time.Second, 50*time.Millisecond, "nothing is sent")
}
