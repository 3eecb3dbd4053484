package dialogue_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/staff"
)

// desk is where staff of the test work.
func (b *bundle) desk() *staff.Desk {
	return staff.NewDesk(b.store, b.table, 30*time.Minute, b.worker.Wake)
}

func (b *bundle) talk() conversation.ID {
	b.t.Helper()
	all, err := b.store.Conversations(b.t.Context(), conversation.Filter{Limit: 10})
	require.NoError(b.t, err)
	require.Len(b.t, all, 1)
	return all[0].ID
}

func (b *bundle) reply(text string) conversation.RequestID {
	b.t.Helper()
	request := conversation.RequestID(uuid.NewString())
	_, err := b.desk().Reply(b.t.Context(), b.talk(), text, request)
	require.NoError(b.t, err)
	return request
}

func TestStaffTakesOver(t *testing.T) {
	t.Parallel()

	t.Run("DraftOfTheTimeBeforeIsNotSent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		composing, release := make(chan struct{}, 8), make(chan struct{})
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) {
			composing <- struct{}{}
			<-release
			return "borrador", nil
		})
		stop := b.run(b.worker)
		b.receive(b.says("573001234567", "quiero hablar con alguien"))
		<-composing
		_, err := b.desk().HandOver(t.Context(), b.talk(), "Leo", "reclamo")
		require.NoError(t, err)
		close(release)
		stop() // sees out what is under way
		require.Empty(t, b.channels.Texts())
		require.Zero(t, b.count("messages where role = 'assistant'"))
		require.Equal(t, 1, b.count("turns where due_at > now() + interval '29 minutes' and lease_token is null"))
	})

	t.Run("BotAnswersAgainOnceTheyHaveBeenSilent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		short := 300 * time.Millisecond
		b.set(number, func(in *conversation.Integration) { in.StaffPause = &short })
		b.run(b.worker)
		b.receive(b.says("573001234567", "uno"))
		b.quiet()
		c, err := b.desk().HandOver(t.Context(), b.talk(), "", "")
		require.NoError(t, err)
		b.receive(b.says("573001234567", "dos"))
		b.eventually(func() bool { return len(b.channels.Texts()) == 2 }, "the answer after the pause")
		require.False(t, time.Now().Before(*c.BotPausedUntil))
	})

	t.Run("WhoTakesOverMeansItEvenWhereMessagesPauseNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		none := time.Duration(0)
		b.set(number, func(in *conversation.Integration) { in.StaffPause = &none })
		b.receive(b.says("573001234567", "uno"))
		c, err := b.desk().HandOver(t.Context(), b.talk(), "", "")
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(conversation.DefaultStaffPause), *c.BotPausedUntil, time.Minute)
	})

	t.Run("WhatTheyWriteGoesOutOnceAndInOrder", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		sending, release := make(chan struct{}, 8), make(chan struct{})
		b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error {
			sending <- struct{}{}
			<-release
			return nil
		})
		b.run(b.worker)
		b.receive(b.says("573001234567", "uno"))
		<-sending
		b.reply("dos")
		request := b.reply("tres")
		_, err := b.desk().Reply(t.Context(), b.talk(), "tres", request)
		require.NoError(t, err)
		close(release)
		b.quiet()
		require.Equal(t, []string{"respuesta a: uno", "dos", "tres"}, b.channels.Texts())
		require.Equal(t, string(request), b.channels.Sent()[2].GetRequestId())
		require.NotNil(t, b.channels.Sent()[2].GetServiceWindowExpireTime())
	})

	t.Run("CrashAfterTheSendDoublesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("573001234567", "¿abren?"))
		b.reply("sí")
		turns, err := b.store.Claim(t.Context(), conversation.ClaimRequest{
			Lease: time.Minute, Limit: 1, Rooms: []conversation.Room{{Integration: number, Free: 1}},
		})
		require.NoError(t, err)
		_, err = sender.New(b.channels.Conn).Send(t.Context(), turns[0], *turns[0].Answer)
		require.NoError(t, err)
		b.exec(`update turns set lease_until = now() - interval '1 second'`)
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{"sí"}, b.channels.Texts())
		require.Equal(t, 2, b.channels.Calls())
		require.Empty(t, b.rag.Asked())
	})

	t.Run("WhatCannotBeSentIsSeenToHaveFailed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error {
			return fault.New(fault.Precondition, "WHATSAPP_WINDOW_CLOSED", "closed")
		})
		b.run(b.worker)
		b.receive(b.staffless())
		b.reply("sí")
		b.eventually(func() bool {
			return b.count("messages where role = 'staff' and state = 'failed' and error = 'WHATSAPP_WINDOW_CLOSED'") == 1
		}, "the failure")
		require.Zero(t, b.count("messages where purpose = 'apology'"))
	})

	t.Run("FailureThatPassesIsTriedAsOftenAsAnAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error {
			if b.channels.Calls() < conversation.MaxAttempts {
				return fault.New(fault.Internal, "INTERNAL", "broken")
			}
			return nil
		})
		b.run(b.worker)
		b.receive(b.staffless())
		b.reply("sí")
		b.eventually(func() bool { b.hurry(); return len(b.channels.Texts()) == 1 }, "the last try")
	})
}

// staffless is a message that asks nothing of the bot.
func (b *bundle) staffless() conversation.Event {
	return of(b.says("573001234567", "👍"), func(m *conversation.InboundMessage) { m.Kind = conversation.KindReaction })
}
