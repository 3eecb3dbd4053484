package delivery_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
)

func TestSend(t *testing.T) {
	t.Parallel()

	t.Run("PartsGoOutInOrderWithEchoQuoteAndButtons", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		m := b.message("uno\ndos")
		m.ReplyTo, m.Buttons = "wamid.in", [][]channels.Button{{{ID: "b1", Title: "Sí"}}}
		d, err := b.delivery.Send(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, channels.DeliverySent, d.State())
		calls := b.Provider.Calls()
		require.Len(t, calls, 2)
		require.Equal(t, "request-1/0/1", calls[0].Echo)
		require.Equal(t, "wamid.in", calls[0].ReplyTo)
		require.Empty(t, calls[1].ReplyTo, "only the first part quotes")
		require.Equal(t, "request-1/1/1", calls[1].Echo)
		require.Equal(t, channels.Part{Text: "dos", Plain: "dos", Buttons: m.Buttons}, calls[1].Part)
	})

	t.Run("RepeatReturnsTheRecordedResult", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		first, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		second, err := b.service().Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		require.Equal(t, first.Parts[0].MessageID, second.Parts[0].MessageID)
		require.Len(t, b.Provider.Calls(), 1)
	})

	t.Run("RequestIDOfAnotherMessageIsAConflict", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		_, err = b.delivery.Send(t.Context(), b.message("adiós"))
		requireFault(t, err, fault.Conflict, "REQUEST_ID_REUSED")
		require.Len(t, b.Provider.Calls(), 1)
	})

	t.Run("FiftyCallsAtOnceMakeOneProviderCall", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		release := make(chan struct{})
		b.Provider.Answer(func(context.Context, int, channels.SendRequest) (string, error) {
			<-release
			return "wamid.1", nil
		})
		var calls errgroup.Group
		var sent atomic.Int64
		var once sync.Once
		for range 50 {
			replica := b.service()
			calls.Go(func() error {
				_, err := replica.Send(t.Context(), b.message("hola"))
				switch fault.ReasonOf(err) {
				case "":
					sent.Add(1)
				case "IN_FLIGHT":
					once.Do(func() { close(release) }) // The first is out while the others are refused.
					return nil
				}
				return err
			})
		}
		require.NoError(t, calls.Wait())
		require.Positive(t, sent.Load())
		require.Len(t, b.Provider.Calls(), 1)
	})

	t.Run("RetrySendsOnlyWhatIsKnownNotToHaveGoneOut", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.Provider.Fail(nil, &channels.SendError{Class: channels.ClassRetry, Code: 131016, Message: "overloaded"})
		_, err := b.delivery.Send(t.Context(), b.message("uno\ndos\ntres"))
		requireFault(t, err, fault.Unavailable, "PROVIDER_UNAVAILABLE")
		d, err := b.delivery.Send(t.Context(), b.message("uno\ndos\ntres"))
		require.NoError(t, err)
		require.False(t, d.MaybeDuplicate)
		require.Equal(t, []string{"uno", "dos", "dos", "tres"}, texts(b))
	})

	t.Run("CallerWhoGoesAwayLeavesNoDoubt", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		ctx, cancel := context.WithCancel(t.Context())
		b.Provider.Answer(func(callCtx context.Context, _ int, _ channels.SendRequest) (string, error) {
			cancel()
			return "wamid.1", callCtx.Err()
		})
		_, err := b.delivery.Send(ctx, b.message("uno\ndos"))
		requireFault(t, err, fault.Unavailable, "CALLER_GONE")
		d, err := b.delivery.Send(t.Context(), b.message("uno\ndos"))
		require.NoError(t, err)
		require.False(t, d.MaybeDuplicate)
		require.Equal(t, []string{"uno", "dos"}, texts(b))
	})

	t.Run("TemplateGoesOutOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		m := delivery.TemplateMessage{RequestID: "t1", To: b.to, Template: channels.Template{Name: "bienvenida", Language: "es", BodyParameters: []string{"Ana"}}}
		for range 2 {
			_, err := b.delivery.SendTemplate(t.Context(), m)
			require.NoError(t, err)
		}
		require.Len(t, b.Provider.Calls(), 1)
		require.Equal(t, &m.Template, b.Provider.Calls()[0].Template)
	})

	t.Run("TextThatCannotBeSentIsInvalid", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		for text, reason := range map[string]string{
			" \n": "TEXT_EMPTY", strings.Repeat("a\n", 40): "TEXT_TOO_LONG", strings.Repeat("a", 2<<20): "TEXT_TOO_LONG",
		} {
			_, err := b.delivery.Send(t.Context(), b.message(text))
			requireFault(t, err, fault.Invalid, reason)
		}
		_, err := b.delivery.SendTemplate(t.Context(), delivery.TemplateMessage{RequestID: "t", To: b.to})
		requireFault(t, err, fault.Invalid, "TEMPLATE_NEEDS_WHATSAPP")
	})

	t.Run("GroupThatMovedIsFollowed", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		b.Provider.Fail(&channels.SendError{Class: channels.ClassMigrated, MigrateToChatID: -1001})
		d, err := b.delivery.Send(t.Context(), b.message("uno\ndos"))
		require.NoError(t, err)
		require.False(t, d.MaybeDuplicate)
		calls := b.Provider.Calls()
		require.Len(t, calls, 3)
		require.Equal(t, []int64{7, -1001, -1001}, []int64{calls[0].Address.Telegram.ID, calls[1].Address.Telegram.ID, calls[2].Address.Telegram.ID})
	})
}

func texts(b *bundle) []string {
	var sent []string
	for _, c := range b.Provider.Calls() {
		sent = append(sent, c.Part.Text)
	}
	return sent
}

func TestServiceWindow(t *testing.T) {
	t.Parallel()

	t.Run("ClosedWindowNeverReachesMeta", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		m := b.message("hola")
		m.WindowExpireTime = time.Now().Add(-time.Second)
		_, err := b.delivery.Send(t.Context(), m)
		requireFault(t, err, fault.Precondition, "WHATSAPP_WINDOW_CLOSED")
		require.Empty(t, b.Provider.Calls())
	})

	t.Run("WhatWasSentInTimeIsReturnedAfterwards", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		late := b.message("hola")
		late.WindowExpireTime = time.Now().Add(-time.Second)
		_, err = b.delivery.Send(t.Context(), late)
		require.NoError(t, err)
	})

	t.Run("MetasWordCountsToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.Provider.Fail(&channels.SendError{Class: channels.ClassWindowClosed, Code: 131047, Message: "Re-engagement message"})
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.Precondition, "WHATSAPP_WINDOW_CLOSED")
	})
}
