package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestBackoffDoublesUpToFiveMinutes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 7: 64 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 90: 5 * time.Minute,
	} {
		for range 20 {
			got := conversation.Backoff(n)
			require.LessOrEqual(t, got, want)
			require.GreaterOrEqual(t, got, want*4/5)
		}
	}
}

func TestDeliveryStateNeverGoesBack(t *testing.T) {
	t.Parallel()
	require.Equal(t, conversation.DeliveryRead, conversation.DeliveryRead.After(conversation.DeliverySent))
	require.Equal(t, conversation.DeliveryRead, conversation.DeliverySent.After(conversation.DeliveryRead))
	require.Equal(t, conversation.DeliveryFailed, conversation.DeliveryFailed.After(conversation.DeliveryDelivered))
}

func TestTemplateGoesOutInTheNearestApprovedLanguage(t *testing.T) {
	t.Parallel()
	w := conversation.WindowTemplate{Name: "volver", Languages: []string{"en_US", "es_MX", "es"}}
	require.Equal(t, "es", w.LanguageFor("es"))
	require.Equal(t, "es_MX", w.LanguageFor("es-CO"))
	require.Equal(t, "en_US", w.LanguageFor("en"))
	require.Equal(t, "en_US", w.LanguageFor("fr"))
	require.Empty(t, conversation.WindowTemplate{}.LanguageFor("es"))
}

func TestOutcomesThatAreUnfinished(t *testing.T) {
	t.Parallel()
	require.False(t, conversation.OutcomeOpen.Finished())
	require.False(t, conversation.OutcomeHeld.Finished())
	require.True(t, conversation.OutcomeDead.Finished())
}

func TestIntegrationStates(t *testing.T) {
	t.Parallel()
	for state, c := range map[conversation.IntegrationState]struct{ ignores, answers bool }{
		conversation.Enabled: {false, true}, conversation.Disabled: {true, false}, conversation.Deleted: {true, false},
		conversation.Stopped: {false, false}, conversation.Incomplete: {false, false},
	} {
		in := conversation.DefaultIntegration("i", conversation.WhatsApp)
		in.State = state
		require.Equal(t, c.ignores, in.Ignores())
		require.Equal(t, c.answers, in.Answers())
	}
}

func TestRejectionReasonsHaveTheGatewaysStatus(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 401, conversation.Unsigned.Status())
	require.EqualValues(t, 401, conversation.Forged.Status())
	require.EqualValues(t, 400, conversation.MalformedBody.Status())
	require.EqualValues(t, 403, conversation.WrongVerifyToken.Status())
	require.EqualValues(t, 413, conversation.BodyTooLarge.Status())
	require.EqualValues(t, 403, conversation.ForeignSource.Status())
}

func TestPeerErrorShowsReasonAndCause(t *testing.T) {
	t.Parallel()
	err := &conversation.PeerError{Reason: "X", Cause: conversation.ErrBusy}
	require.EqualError(t, err, "X: busy")
	require.ErrorIs(t, err, conversation.ErrBusy)
	require.EqualError(t, &conversation.PeerError{Reason: "X"}, "X")
}
