package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

const week = 7 * 24 * time.Hour

// age makes what there is older.
func (b *bundle) age(condition string) {
	b.t.Helper()
	b.exec(`update messages set create_time = create_time - interval '8 days' where ` + condition)
	b.exec(`update conversations c set create_time = create_time - interval '8 days',
		last_message_time = coalesce((select max(m.create_time) from messages m where m.conversation_id = c.id), now())`)
}

// expire removes what is older than a week.
func (b *bundle) expire() {
	b.t.Helper()
	for n := int64(1); n > 0; {
		var err error
		n, err = b.store.ExpireMessages(b.t.Context(), number, week, 2)
		require.NoError(b.t, err)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()

	t.Run("WhatIsTooOldGoesWithItsConversation", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		old := b.receive(b.says("lo de antes"))
		b.answer("respuesta de antes")
		b.exec(`insert into message_parts (conversation_id, platform_message_id, message_id) select conversation_id, 'p', id from messages where role = 'assistant'`)
		b.receive(b.says("de otro bot", of(bot)))
		b.age("true")
		b.expire()
		require.Zero(t, b.count("messages m join conversations c on c.id = m.conversation_id where c.integration_id = $1", string(number)))
		require.Equal(t, 1, b.count("conversations"), "another integration's stays")
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(old.Log), "the log stays")
		ids, err := b.store.Integrations(t.Context())
		require.NoError(t, err)
		require.Equal(t, []conversation.IntegrationID{bot}, ids)

		b.exec(`delete from turns`)
		b.receive(b.says("hola de nuevo"))
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Empty(t, d.History)
		require.Len(t, d.Open, 1)
	})

	t.Run("ALivingConversationLosesItsPastAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("lo de antes"))
		b.answer("respuesta de antes")
		b.receive(b.says("lo de hoy"))
		b.answer("respuesta de hoy")
		b.age("position <= 2")
		b.expire()
		b.receive(b.says("¿y ahora?"))
		turn := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		require.Equal(t, []conversation.PastMessage{
			{Role: conversation.Customer, Text: "lo de hoy"}, {Role: conversation.Assistant, Text: "respuesta de hoy"},
		}, d.History)
		b.finish(turn, b.checkpoint(turn, "respuesta de ahora"))
		said := b.messages(turn.Conversation)
		require.Len(t, said, 4)
		require.EqualValues(t, 3, said[0].Position, "positions never restart")
	})

	t.Run("WhatIsBeingAnsweredIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren hoy?"))
		turn := b.claimOne()
		b.age("true")
		b.expire()
		require.Equal(t, 1, b.count("messages"))
		b.finish(turn, b.checkpoint(turn, "a las 9"))
		require.Len(t, b.messages(turn.Conversation), 2)
		b.expire()
		require.Equal(t, 1, b.count("messages"), "the answer is new")
	})

	t.Run("AnAnswerHeldForTooLongIsGivenUp", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("¿abren hoy?"))
		turn := b.claimOne()
		require.NoError(t, b.store.Hold(t.Context(), turn, b.checkpoint(turn, "a las 9"), nil))
		b.age("true")
		b.expire()
		require.Equal(t, []conversation.Outcome{conversation.OutcomeExpired}, b.outcomes(r.Log))
		require.Zero(t, b.count("conversations"))
	})

	t.Run("BodiesOfWebhooksGoAndTheirLogStays", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		in := conversation.DefaultIntegration(number, conversation.WhatsApp)
		mine, another, fresh := b.receive(b.says("uno")), b.receive(b.says("dos", of(bot))), b.receive(b.says("tres"))
		b.exec(`update webhook_logs set create_time = now() - interval '8 days' where id <> $1`, string(fresh.Log))
		var place *conversation.Cursor
		emptied := int64(0)
		for range 3 {
			n, next, err := b.store.ExpirePayloads(t.Context(), in, week, place, 1)
			require.NoError(t, err)
			if emptied += n; next == nil {
				break
			}
			place = next
		}
		require.EqualValues(t, 1, emptied)
		for log, kept := range map[conversation.LogID]bool{mine.Log: false, another.Log: true, fresh.Log: true} {
			l, err := b.store.Log(t.Context(), log)
			require.NoError(t, err)
			require.Equal(t, kept, len(l.Payload) > 0)
		}
		_, next, err := b.store.ExpirePayloads(t.Context(), in, week, place, 1)
		require.NoError(t, err)
		require.Nil(t, next)
	})
}
