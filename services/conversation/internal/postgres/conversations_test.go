package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestConversations(t *testing.T) {
	t.Parallel()

	t.Run("HaveTheMissionsMetadataAndDefaults", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"), b.says("hola", telegram("7", "eva", conversation.Chat{ID: 7}, false)))
		all, err := b.store.Conversations(t.Context(), conversation.Filter{Limit: 10})
		require.NoError(t, err)
		require.Len(t, all, 2)
		byPlatform := map[conversation.Platform]conversation.Conversation{}
		for _, c := range all {
			byPlatform[c.Platform] = c
			require.True(t, c.RAGEnabled)
			require.EqualValues(t, conversation.DefaultPassages, c.Passages)
			require.NotEmpty(t, c.User)
		}
		require.Equal(t, map[string]string{"platform": "whatsapp", "platform_user_id": "573001234567", "created_via": "whatsapp"},
			byPlatform[conversation.WhatsApp].Metadata())
		require.Equal(t, map[string]string{"platform": "telegram", "platform_user_id": "7", "created_via": "telegram"},
			byPlatform[conversation.Telegram].Metadata())
	})

	t.Run("OneIsActivePerUserAndTheNextOpensAfterClosing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		b.receive(b.says("dos"))
		require.Equal(t, 1, b.count("conversations"))
		turn := b.claimOne()
		c, err := b.store.CloseConversation(t.Context(), turn.Conversation)
		require.NoError(t, err)
		require.True(t, c.Closed)
		b.receive(b.says("tres"))
		require.Equal(t, 2, b.count("conversations"))
		b.finish(turn, b.checkpoint(turn, "lo que esperaba se responde aún"))
		require.Len(t, b.messages(b.claimOne().Conversation), 1, "a new one knows nothing of the old")
	})

	t.Run("IdleOneClosesWhenItsNextMessageComes", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		b.answer("respuesta")
		b.exec(`update conversations set last_message_time = now() - interval '25 hours'`)
		b.receive(b.says("dos"))
		require.Equal(t, 1, b.count("conversations where closed_time is not null"))
		require.Equal(t, 1, b.count("conversations where closed_time is null"))
	})

	t.Run("IdleOneStaysOpenWhileSomethingInItWaits", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		b.exec(`update conversations set last_message_time = now() - interval '25 hours'`)
		b.receive(b.says("dos"))
		require.Equal(t, 1, b.count("conversations"))
	})

	t.Run("GroupThreadAndBusinessChatsAreApart", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(
			b.says("privado", telegram("7", "eva", conversation.Chat{ID: 7}, false)),
			b.says("grupo", telegram("7", "eva", conversation.Chat{ID: -100}, true)),
			b.says("otro del grupo", telegram("8", "leo", conversation.Chat{ID: -100}, true)),
			b.says("tema", telegram("7", "eva", conversation.Chat{ID: -100, ThreadID: 4}, true)),
			b.says("negocio", telegram("7", "eva", conversation.Chat{ID: 7, BusinessConnectionID: "bc"}, false)),
		)
		require.Equal(t, 4, b.count("conversations"))
		require.Equal(t, 1, b.count("conversations where last_position = 2 and is_group and chat_id = -100 and thread_id = 0"))
	})

	t.Run("MigratedGroupIsAnsweredInItsNewChat", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("grupo", telegram("7", "eva", conversation.Chat{ID: -5}, true)))
		migrate := b.event("migrate", &conversation.IdentityChange{Kind: conversation.ChatMigrated, OldID: "-5", NewID: "-1005"})
		migrate.Event.Integration, migrate.Integration.ID = bot, bot
		b.receive(migrate)
		b.receive(b.says("después", telegram("7", "eva", conversation.Chat{ID: -1005}, true)))
		require.Equal(t, 1, b.count("conversations"))
		require.EqualValues(t, -1005, b.claimOne().Address.Chat.ID)
	})

	t.Run("MigrationOntoAnActiveChatClosesTheOldOne", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("antes", telegram("7", "eva", conversation.Chat{ID: -5}, true)))
		b.receive(b.says("después", telegram("7", "eva", conversation.Chat{ID: -1005}, true)))
		migrate := b.event("migrate", &conversation.IdentityChange{Kind: conversation.ChatMigrated, OldID: "-5", NewID: "-1005"})
		migrate.Event.Integration, migrate.Integration.ID = bot, bot
		b.receive(migrate)
		require.Equal(t, 1, b.count("conversations where closed_time is null"))
		for _, turn := range b.claim(10) {
			require.EqualValues(t, -1005, turn.Address.Chat.ID)
		}
	})

	t.Run("SettingsFollowTheIntegration", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		b.receive(b.says("dos", func(a *conversation.Arrival) { a.Integration.RAGEnabled, a.Integration.Passages = false, 9 }))
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.False(t, d.RAG)
		require.EqualValues(t, 9, d.Passages)
	})

	t.Run("HistoryIsTheLastTwelveMessages", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for range 10 {
			b.receive(b.says("pregunta"))
			b.answer("respuesta")
		}
		b.receive(b.says("y ahora"))
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Len(t, d.History, conversation.HistoryMessages)
		require.Equal(t, conversation.PastMessage{Role: conversation.Assistant, Text: "respuesta"}, d.History[11])
		require.Equal(t, conversation.PastMessage{Role: conversation.Customer, Text: "pregunta"}, d.History[0])
	})
}

func TestConversationSumsWhatItsAnswersCost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, basis := range []*conversation.Basis{
		{Outcome: "answered", Model: "m", InputTokens: 900, OutputTokens: 60, CostMicros: 1500},
		{Outcome: "smalltalk"},
		nil, // what this service says by itself
		{Outcome: "answered", Model: "m", InputTokens: 100, OutputTokens: 40, CostMicros: 250},
	} {
		b.receive(b.says("¿y eso?"))
		turn := b.claimOne()
		d := draft(turn, "Sí.")
		d.Basis = basis
		a, err := b.store.Checkpoint(t.Context(), turn, d)
		require.NoError(t, err)
		b.finish(turn, a)
	}
	talk := b.talk()
	require.Equal(t, [3]int64{1000, 100, 1750}, [3]int64{talk.InputTokens, talk.OutputTokens, talk.CostMicros})
	got, err := b.store.Conversation(t.Context(), talk.ID)
	require.NoError(t, err)
	require.Equal(t, talk, got)
}
