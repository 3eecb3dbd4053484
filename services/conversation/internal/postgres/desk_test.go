package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// talk returns the one conversation.
func (b *bundle) talk() conversation.Conversation {
	b.t.Helper()
	all, err := b.store.Conversations(b.t.Context(), conversation.Filter{Limit: 10})
	require.NoError(b.t, err)
	require.Len(b.t, all, 1)
	return all[0]
}

func (b *bundle) handOver() conversation.Conversation {
	b.t.Helper()
	c, err := b.store.HandOver(b.t.Context(), b.talk().ID, conversation.HandOver{Staff: "Leo", Reason: "reclamo", Pause: pause})
	require.NoError(b.t, err)
	return c
}

func replied(text string) conversation.StaffReply {
	return conversation.StaffReply{Text: text, Request: conversation.RequestID(uuid.NewString()), Pause: pause}
}

func (b *bundle) reply(text string) conversation.Message {
	b.t.Helper()
	m, err := b.store.Reply(b.t.Context(), b.talk().ID, replied(text))
	require.NoError(b.t, err)
	return m
}

func TestHandOver(t *testing.T) {
	t.Parallel()

	t.Run("KeepsTheBotSilentAndSaysWhoHasTheWord", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("quiero hablar con alguien"))
		c := b.handOver()
		require.InDelta(t, pause, time.Until(*c.BotPausedUntil), float64(10*time.Second))
		require.Equal(t, conversation.PausedByHandOver, c.PauseCause)
		require.Equal(t, []string{"Leo", "reclamo"}, []string{c.PausedBy, c.PauseReason})
		require.Empty(t, b.claim(10))
		b.receive(b.staff("hola"))
		require.Equal(t, conversation.PausedByHandOver, b.talk().PauseCause, "who took over goes on having the word")
		b.over()
		require.Empty(t, b.talk().PauseCause)
		b.receive(b.staff("una cosa más"))
		require.Equal(t, conversation.PausedByWriting, b.talk().PauseCause)
		require.Empty(t, b.talk().PausedBy)
	})

	t.Run("ThrowsAwayWhatIsBeingComposed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		b.handOver()
		_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "borrador"))
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		require.Empty(t, b.claim(10))
		require.Zero(t, b.count("messages where role = 'assistant'"))
		b.over()
		require.Equal(t, []string{"¿abren?"}, b.open(b.claimOne()))
	})

	t.Run("LetsGoOutWhatIsDecided", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "sí")
		b.handOver()
		b.finish(turn, a)
		require.Equal(t, 1, b.count("messages where role = 'assistant' and state = 'sent'"))
	})

	t.Run("IsRefusedWhereTheConversationEndedOrIsNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		_, err := b.store.HandOver(t.Context(), conversation.ID(uuid.NewString()), conversation.HandOver{Pause: pause})
		require.ErrorIs(t, err, conversation.ErrNotFound)
		_, err = b.store.CloseConversation(t.Context(), b.talk().ID)
		require.NoError(t, err)
		_, err = b.store.HandOver(t.Context(), b.talk().ID, conversation.HandOver{Pause: pause})
		require.ErrorIs(t, err, conversation.ErrClosed)
	})
}

func TestReply(t *testing.T) {
	t.Parallel()

	t.Run("AnswersWhatWaitsAndPausesTheBot", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.receive(b.says("¿abren?"))
		m := b.reply("sí, a las 9")
		require.Equal(t, conversation.Staff, m.Role)
		require.Equal(t, conversation.MessageSending, m.State)
		turn := b.claimOne()
		require.Equal(t, conversation.ByStaff, turn.Answer.Purpose)
		require.Equal(t, "sí, a las 9", turn.Answer.Text)
		b.finish(turn, *turn.Answer)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnsweredByStaff}, b.outcomes(asked.Log))
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("messages where role = 'staff' and state = 'sent' and platform_message_id = 'wamid.ours'"))
		require.InDelta(t, pause, b.pausedFor(), float64(10*time.Second))
		require.Equal(t, conversation.PausedByWriting, b.talk().PauseCause)
	})

	t.Run("SameRequestIsTheSameReply", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		r := replied("sí")
		first, err := b.store.Reply(t.Context(), b.talk().ID, r)
		require.NoError(t, err)
		turn := b.claimOne()
		b.finish(turn, *turn.Answer)
		_, err = b.store.CloseConversation(t.Context(), b.talk().ID)
		require.NoError(t, err)
		again, err := b.store.Reply(t.Context(), b.talk().ID, r)
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
		require.Equal(t, conversation.MessageSent, again.State)
		require.Equal(t, 1, b.count("messages where role = 'staff'"))
		require.Zero(t, b.count("turns"))
		r.Text = "no"
		_, err = b.store.Reply(t.Context(), b.talk().ID, r)
		require.ErrorIs(t, err, conversation.ErrRequestReused)
	})

	t.Run("IsRefusedWhereItCannotBeSent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		_, err := b.store.Reply(t.Context(), conversation.ID(uuid.NewString()), replied("sí"))
		require.ErrorIs(t, err, conversation.ErrNotFound)
		b.exec(`update conversations set last_customer_time = now() - interval '24 hours'`)
		_, err = b.store.Reply(t.Context(), b.talk().ID, replied("sí"))
		require.ErrorIs(t, err, conversation.ErrWindowClosed)
		b.exec(`update conversations set platform = 'telegram'`)
		_, err = b.store.Reply(t.Context(), b.talk().ID, replied("sí"))
		require.NoError(t, err, "Telegram has no window")
		_, err = b.store.CloseConversation(t.Context(), b.talk().ID)
		require.NoError(t, err)
		_, err = b.store.Reply(t.Context(), b.talk().ID, replied("¿sí?"))
		require.ErrorIs(t, err, conversation.ErrClosed)
	})

	t.Run("TakesTheWordFromWhoIsComposing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		b.reply("sí")
		_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "borrador"))
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		require.Equal(t, "sí", b.claimOne().Answer.Text)
	})

	t.Run("WaitsForTheAnswerOnItsWayAndForRepliesBefore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "sí")
		b.reply("uno")
		b.reply("dos")
		later := b.receive(b.says("¿y el lunes?"))
		require.Empty(t, b.claim(10))
		b.finish(turn, a)
		for _, want := range []string{"uno", "dos"} {
			next := b.claimOne()
			require.Equal(t, want, next.Answer.Text)
			b.finish(next, *next.Answer)
		}
		require.Empty(t, b.claim(10), "what came after them waits for the end of the pause")
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(later.Log))
		b.over()
		require.Equal(t, []string{"¿y el lunes?"}, b.open(b.claimOne()))
	})

	t.Run("GoesOutDuringAPauseAlthoughTheTurnWaitsForItsEnd", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		b.handOver()
		b.reply("sí")
		b.receive(b.says("gracias"))
		b.exec(`update turns set due_at = due_at - interval '10 seconds'`)
		require.Equal(t, "sí", b.claimOne().Answer.Text, "a message meanwhile puts it off by no more than a burst")
	})

	t.Run("CrashSendsItAgainUnderItsRequest", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		r := replied("sí")
		_, err := b.store.Reply(t.Context(), b.talk().ID, r)
		require.NoError(t, err)
		b.crash(b.claimOne())
		again := b.claimOne()
		require.Equal(t, r.Request, again.Answer.Request)
	})

	t.Run("WhatItDidNotAnswerStillWaits", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.receive(b.says("¿abren?"))
		b.reply("sí")
		turn := b.claimOne()
		require.NoError(t, b.store.Abandon(t.Context(), turn, *turn.Answer, "BOT_BLOCKED"))
		require.Equal(t, 1, b.count("messages where role = 'staff' and state = 'failed' and error = 'BOT_BLOCKED'"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(asked.Log))
		b.over()
		require.Equal(t, []string{"¿abren?"}, b.open(b.claimOne()))
	})

	t.Run("OneThatNobodyAskedForLeavesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		b.answer("sí")
		b.reply("¿algo más?")
		turn := b.claimOne()
		require.NoError(t, b.store.Abandon(t.Context(), turn, *turn.Answer, "REFUSED"))
		require.Zero(t, b.count("turns"))
	})

	t.Run("IsPartOfWhatWasSaid", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		b.reply("sí")
		turn := b.claimOne()
		b.finish(turn, *turn.Answer)
		b.receive(b.says("¿y el lunes?"))
		b.over()
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Equal(t, []conversation.PastMessage{{Role: conversation.Customer, Text: "¿abren?"}, {Role: conversation.Staff, Text: "sí"}}, d.History)
	})

	t.Run("ChatThatCannotBeReachedFailsAllOfThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?", telegram("7", "ana", conversation.Chat{ID: 7}, false)))
		b.reply("uno")
		b.reply("dos")
		b.receive(ofBot(b.notice(conversation.Blocked, "7", "")))
		require.Equal(t, 2, b.count("messages where role = 'staff' and state = 'failed'"))
		require.Zero(t, b.count("turns"))
	})
}
