package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

const pause = 30 * time.Minute

// staff is what the company's own people write to the customer on another device.
func (b *bundle) staff(text string, changes ...arrival) conversation.Arrival {
	return b.says(text, append([]arrival{func(a *conversation.Arrival) {
		a.Plan, a.StaffPause = conversation.Plan{Text: text}, pause
		a.Message.Echo, a.Message.Sender = true, conversation.Sender{PhoneNumber: "15550001111"}
	}}, changes...)...)
}

// pausedFor returns how long the one conversation is paused.
func (b *bundle) pausedFor() time.Duration {
	b.t.Helper()
	all, err := b.store.Conversations(b.t.Context(), conversation.Filter{Limit: 10})
	require.NoError(b.t, err)
	require.Len(b.t, all, 1)
	if all[0].BotPausedUntil == nil {
		return 0
	}
	return time.Until(*all[0].BotPausedUntil)
}

// over makes the pause of every conversation be over.
func (b *bundle) over() {
	b.t.Helper()
	b.exec(`update conversations set bot_paused_until = now() - interval '1 second' where bot_paused_until is not null`)
	b.due()
}

func (b *bundle) open(t conversation.Turn) []string {
	b.t.Helper()
	d, err := b.store.Dialogue(b.t.Context(), t)
	require.NoError(b.t, err)
	var out []string
	for _, m := range d.Open {
		out = append(out, m.Text)
	}
	return out
}

func TestStaff(t *testing.T) {
	t.Parallel()

	t.Run("WhatTheyAnsweredIsNotAnsweredAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.receive(b.says("¿abren?"))
		echo := b.receive(b.staff("sí, a las 9"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, echo.Outcomes)
		require.Zero(t, b.count("turns"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnsweredByStaff}, b.outcomes(asked.Log))
		require.InDelta(t, pause, b.pausedFor(), float64(10*time.Second))
		require.Equal(t, 1, b.count("messages where role = 'staff' and state = 'recorded'"))
		require.Equal(t, 1, b.count("messages where role = 'customer' and state = 'answered'"))
	})

	t.Run("WhatIsWrittenDuringThePauseWaitsForItsEnd", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.staff("hola, soy Leo"))
		r := b.receive(b.says("¿y los domingos?", debounced(time.Second)))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, r.Outcomes)
		require.Equal(t, []bool{true}, r.Paused)
		require.Empty(t, b.claim(10))
		require.Equal(t, 1, b.count("turns t join conversations c on c.id = t.conversation_id where t.due_at = c.bot_paused_until"))
		b.over()
		require.Equal(t, []string{"¿y los domingos?"}, b.open(b.claimOne()))
	})

	t.Run("AnotherEchoSettlesWhatCameBeforeItAndExtendsThePause", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.staff("hola", at(time.Now().Add(-20*time.Minute))))
		require.InDelta(t, 10*time.Minute, b.pausedFor(), float64(10*time.Second), "30 minutes after it was written")
		second := b.receive(b.says("¿y los domingos?"))
		b.receive(b.staff("cerrado"))
		require.InDelta(t, pause, b.pausedFor(), float64(10*time.Second))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnsweredByStaff}, b.outcomes(second.Log))
		require.Zero(t, b.count("turns"))
		third := b.receive(b.says("gracias, ¿y el lunes?"))
		b.receive(b.staff("tarde", at(time.Now().Add(-25*time.Minute))))
		require.InDelta(t, pause, b.pausedFor(), float64(10*time.Second), "an older one that comes late shortens nothing")
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(third.Log), "and answers nothing that was written after it")
		b.over()
		require.Equal(t, []string{"gracias, ¿y el lunes?"}, b.open(b.claimOne()))
	})

	t.Run("DraftIsNotSentOnceTheyWrote", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		b.receive(b.staff("sí"))
		_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "borrador"))
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		require.Zero(t, b.count("messages where role = 'assistant'"))
	})

	t.Run("DraftIsNotSentWhileTheyHaveTheWord", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		b.exec(`update conversations set bot_paused_until = now() + interval '10 minutes'`)
		_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "borrador"))
		require.ErrorIs(t, err, conversation.ErrPaused)
		require.Empty(t, b.claim(10))
		b.over()
		require.Equal(t, []string{"¿abren?"}, b.open(b.claimOne()))
	})

	t.Run("DecidedAnswerGoesOutAndTheRestIsSettled", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "sí")
		second := b.receive(b.says("¿y el lunes?"))
		b.receive(b.staff("el lunes no"))
		third := b.receive(b.says("¿y el martes?"))
		b.finish(turn, a)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(first.Log))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnsweredByStaff}, b.outcomes(second.Log))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(third.Log))
		require.Empty(t, b.claim(10), "the reopened turn waits for the end of the pause")
		b.over()
		require.Equal(t, []string{"¿y el martes?"}, b.open(b.claimOne()))
	})

	t.Run("CrashOfADecidedAnswerIsSeenOutDuringThePause", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "sí")
		b.receive(b.staff("sí, abrimos"))
		b.crash(turn)
		again := b.claimOne()
		require.Equal(t, a.Request, again.Answer.Request)
		b.finish(again, *again.Answer)
		require.Zero(t, b.count("turns"))
	})

	t.Run("OneBodyMayHoldQuestionEchoAndQuestion", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("uno"), b.staff("respondo"), b.says("dos"))
		require.Equal(t, []conversation.Outcome{
			conversation.OutcomeAnsweredByStaff, conversation.OutcomeRecorded, conversation.OutcomeOpen,
		}, r.Outcomes)
		require.Empty(t, b.claim(10))
		b.over()
		require.Equal(t, []string{"dos"}, b.open(b.claimOne()))
	})

	t.Run("ProvidersClockDecidesWhatCameFirst", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		now := time.Now()
		late := b.receive(b.says("después", at(now)), b.says("antes", at(now.Add(-2*time.Minute))), b.says("sin hora", at(time.Time{})))
		b.receive(b.staff("respondo", at(now.Add(-time.Minute))))
		require.Equal(t, []conversation.Outcome{
			conversation.OutcomeOpen, conversation.OutcomeAnsweredByStaff, conversation.OutcomeAnsweredByStaff,
		}, b.outcomes(late.Log))
		require.Empty(t, b.claim(10))
		b.over()
		require.Equal(t, []string{"después"}, b.open(b.claimOne()))
	})

	t.Run("HeldQuestionsAreAnsweredByThemToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "sí")
		require.NoError(t, b.store.Hold(t.Context(), turn, a, nil))
		b.receive(b.staff("sí"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnsweredByStaff}, b.outcomes(asked.Log))
		require.Zero(t, b.count("conversations where held_from is not null"))
		b.over()
		b.receive(b.says("¿y mañana?"))
		require.Equal(t, []string{"¿y mañana?"}, b.open(b.claimOne()))
	})

	t.Run("EchoThatIsTooOldPausesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.staff("hola", at(time.Now().Add(-time.Hour))))
		require.Zero(t, b.pausedFor())
		b.receive(b.says("¿abren?"))
		b.claimOne()
	})

	t.Run("EchoWithoutATimeCountsFromNow", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.staff("hola", at(time.Time{})))
		require.InDelta(t, pause, b.pausedFor(), float64(10*time.Second))
	})

	t.Run("ReactionOfTheirsIsNoAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		b.receive(b.staff("👍", func(a *conversation.Arrival) { a.Message.Kind = conversation.KindReaction }))
		require.Zero(t, b.pausedFor())
		require.Equal(t, []string{"¿abren?"}, b.open(b.claimOne()))
	})

	t.Run("WithoutAPauseTheyStillAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		b.receive(b.staff("sí", func(a *conversation.Arrival) { a.StaffPause = 0 }))
		require.Zero(t, b.count("turns"))
		b.receive(b.says("¿y mañana?"))
		require.Equal(t, []string{"¿y mañana?"}, b.open(b.claimOne()))
	})

	t.Run("OwnerOfABusinessChatPausesThatChatAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		chat := conversation.Chat{ID: 7, BusinessConnectionID: "bc"}
		b.receive(b.staff("hola Eva", telegram("99", "duena", chat, false), func(a *conversation.Arrival) { a.Message.Echo = true }))
		b.receive(b.says("¿abren?", telegram("7", "eva", chat, false)))
		require.Equal(t, 1, b.count("conversations where user_id is not null"), "the chat is the customer's, whoever wrote first")
		b.receive(b.says("¿abren?", telegram("7", "eva", conversation.Chat{ID: 7}, false)))
		require.Empty(t, b.claimOne().Address.Chat.BusinessConnectionID)
		b.over()
		require.Equal(t, "bc", b.claimOne().Address.Chat.BusinessConnectionID, "answered through its connection")
	})

	t.Run("IdleConversationStaysWhileTheyHaveTheWord", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.staff("hola", func(a *conversation.Arrival) { a.StaffPause = 48 * time.Hour }))
		b.exec(`update conversations set last_message_time = now() - interval '25 hours'`)
		b.receive(b.says("¿abren?"))
		require.Equal(t, 1, b.count("conversations"))
		require.Empty(t, b.claim(10))
	})
}

func TestResume(t *testing.T) {
	t.Parallel()

	t.Run("WhatWaitsIsDueAtOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.staff("hola"))
		b.receive(b.says("¿abren?"))
		all, err := b.store.Conversations(t.Context(), conversation.Filter{Limit: 1})
		require.NoError(t, err)
		for range 2 {
			c, err := b.store.Resume(t.Context(), all[0].ID)
			require.NoError(t, err)
			require.Nil(t, c.BotPausedUntil)
		}
		require.Equal(t, []string{"¿abren?"}, b.open(b.claimOne()))
	})

	t.Run("ChangesNothingWhereTheBotIsNotPaused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		turn := b.claimOne()
		require.NoError(t, b.store.Fail(t.Context(), turn, "UNAVAILABLE", time.Hour))
		_, err := b.store.Resume(t.Context(), turn.Conversation)
		require.NoError(t, err)
		require.Empty(t, b.claim(10), "a failure still puts it off")
	})

	t.Run("UnknownConversationIsNotFound", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.store.Resume(t.Context(), "00000000-0000-7000-8000-000000000001")
		require.ErrorIs(t, err, conversation.ErrNotFound)
	})
}
