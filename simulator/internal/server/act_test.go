package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

func TestActsOverHTTP(t *testing.T) {
	t.Parallel()

	t.Run("ACustomerMoves", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.WhatsApp, From: customer, Text: "Hola"})
		require.NoError(t, err)
		<-b.hook
		info, err := b.Move(t.Context(), simulator.Move{Chat: whatsApp(), Phone: "573009999999", Notices: []string{"field"}})
		require.NoError(t, err)
		require.Equal(t, "573009999999", info.User)
		require.Contains(t, (<-b.hook).body, `"field":"user_id_update"`)
		_, err = b.Move(t.Context(), simulator.Move{Chat: simulator.Chat{Platform: simulator.Telegram, User: "42"}})
		require.ErrorContains(t, err, "only WhatsApp's customers")
	})

	t.Run("ABusinessIsConnected", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		connected, err := b.Connect(t.Context(), simulator.Connection{ID: "bc_1", Owner: "9"})
		require.NoError(t, err)
		require.Equal(t, botID, connected.Account)
		require.Contains(t, (<-b.hook).body, `"business_connection":{`)
		_, err = b.Connect(t.Context(), simulator.Connection{ID: "bc_1", Owner: "nobody"})
		require.Error(t, err)
	})

	t.Run("ReactionsEditsAndDeletionsAreMessagesToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		said, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.WhatsApp, From: customer, Text: "Hola"})
		require.NoError(t, err)
		<-b.hook
		for _, u := range []simulator.Utterance{
			{Kind: "reaction", Emoji: "👍"}, {Kind: "edit", Text: "Buenas"}, {Kind: "revoke"},
		} {
			u.Platform, u.From, u.Target = simulator.WhatsApp, customer, said.ID
			_, err := b.Say(t.Context(), u)
			require.NoError(t, err)
			require.Contains(t, (<-b.hook).body, `"type":"`+u.Kind+`"`)
		}
		shown, err := b.Messages(t.Context(), whatsApp(), 0)
		require.NoError(t, err)
		require.Len(t, shown, 1)
		require.True(t, shown[0].Deleted)
		require.Equal(t, "Buenas", shown[0].Text)
	})

	t.Run("FaultsKnowTheirPlatform", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		added, err := b.AddFault(t.Context(), simulator.Fault{Kind: simulator.FaultWebhookBatch})
		require.NoError(t, err)
		require.Equal(t, simulator.WhatsApp, added.Platform)
		require.Equal(t, 1000, added.Copies)
		require.NoError(t, b.RemoveFault(t.Context(), added.ID))
		left, err := b.Faults(t.Context())
		require.NoError(t, err)
		require.Empty(t, left)
		_, err = b.AddFault(t.Context(), simulator.Fault{Kind: simulator.FaultStatusNever, Chat: simulator.Chat{Platform: simulator.Telegram}})
		require.ErrorContains(t, err, "WhatsApp's")
	})
}
