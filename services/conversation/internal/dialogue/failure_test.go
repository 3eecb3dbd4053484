package dialogue_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// failing lets a number of sends fail, and then all succeed.
func failing(times int, err error) func(context.Context, *channelsv1.SendMessageRequest) error {
	left := make(chan struct{}, times)
	for range times {
		left <- struct{}{}
	}
	return func(context.Context, *channelsv1.SendMessageRequest) error {
		select {
		case <-left:
			return err
		default:
			return nil
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()

	t.Run("EightFailuresMakeATurnDeadAndTheCustomerIsToldOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) {
			return "", fault.New(fault.Unavailable, "MODEL_UNAVAILABLE", "try again")
		})
		b.run(b.worker)
		r := b.receive(b.says("573001234567", "hola"))
		for n := 1; n < conversation.MaxAttempts; n++ {
			b.eventually(func() bool { return b.count("turns where attempt = $1 and due_at > now()", n) == 1 }, "backoff")
			b.hurry()
		}
		e := b.outcome(r, conversation.OutcomeDead)
		require.Equal(t, "MODEL_UNAVAILABLE", e.Error)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceApology.In("es")}, b.channels.Texts())
		require.Len(t, b.rag.Asked(), conversation.MaxAttempts)

		b.rag.OnAnswer(func(_ context.Context, q *ragv1.GenerateAnswerRequest) (string, error) {
			require.Len(t, q.GetTurns(), 1, "the dead message and the apology have left prompt and history")
			return "ya", nil
		})
		b.receive(b.says("573001234567", "¿y ahora?"))
		b.quiet()
		require.Equal(t, "ya", b.channels.Texts()[1])
	})

	t.Run("RetryNeverAsksTheAnswererTwice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.OnSend(failing(2, unavailable()))
		b.run(b.worker)
		b.receive(b.says("573001234567", "hola"))
		for n := 1; n <= 2; n++ {
			b.eventually(func() bool { return b.count("turns where attempt = $1", n) == 1 }, "backoff")
			b.hurry()
		}
		b.quiet()
		require.Len(t, b.rag.Asked(), 1)
		require.Len(t, b.channels.Sent(), 1)
		require.Equal(t, 3, b.channels.Calls())
	})

	t.Run("ThrottlingAndDoubtOnlyMoveTheTurn", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{
			fault.New(fault.Throttled, "THROTTLED", "later").WithRetryAfter(time.Hour),
			fault.New(fault.InFlight, "DELIVERY_IN_DOUBT", "later").WithRetryAfter(time.Hour),
			fault.New(fault.Precondition, "INTEGRATION_STOPPED", "stopped").WithRetryAfter(time.Hour),
		} {
			b := setup(t)
			b.channels.OnSend(failing(1, err))
			b.run(b.worker)
			b.receive(b.says("573001234567", "hola"))
			b.eventually(func() bool {
				return b.count("turns where attempt = 0 and due_at > now() + interval '59 minutes' and lease_token is null") == 1
			}, "moved")
			b.hurry()
			b.quiet()
			require.Len(t, b.channels.Sent(), 1)
		}
	})

	t.Run("UnreachableCustomersAreNotApologisedTo", func(t *testing.T) {
		t.Parallel()
		for _, reason := range []string{"RECIPIENT_UNREACHABLE", "BOT_BLOCKED", conversation.ReasonOutcomeUnknown} {
			b := setup(t)
			b.channels.OnSend(failing(1, fault.New(fault.Precondition, reason, "no")))
			b.run(b.worker)
			r := b.receive(b.says("573001234567", "hola"))
			require.Equal(t, reason, b.outcome(r, conversation.OutcomeDead).Error)
			b.quiet()
			require.Empty(t, b.channels.Sent())
			require.Equal(t, 1, b.channels.Calls())
		}
	})

	t.Run("WhatChannelsRefusesIsDeadAtOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.OnSend(failing(1, fault.New(fault.Invalid, "TEXT_INVALID", "no")))
		b.run(b.worker)
		r := b.receive(b.says("573001234567", "hola"))
		b.outcome(r, conversation.OutcomeDead)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceApology.In("es")}, b.channels.Texts())
	})

	t.Run("ApologyThatCannotGoOutIsGivenUp", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) {
			return "", fault.New(fault.Invalid, "QUESTION_INVALID", "no")
		})
		b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error { return unavailable() })
		b.run(b.worker)
		b.receive(b.says("573001234567", "hola"))
		for n := 1; n < conversation.MaxSideAttempts; n++ {
			b.eventually(func() bool { return b.count("turns where attempt = $1", n) == 1 }, "backoff")
			b.hurry()
		}
		b.quiet()
		require.Equal(t, 1, b.count("messages where purpose = 'apology' and state = 'failed'"))
	})

	t.Run("PeerThatIsAwayUsesNoAttempt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.NoError(t, b.channels.Conn.Close())
		b.run(b.worker)
		b.receive(b.says("573001234567", "hola"))
		b.eventually(func() bool {
			return b.count("turns where attempt = 0 and answer_id is not null and lease_token is null and due_at > now()") == 1
		}, "postponed")
	})

	t.Run("ClosedWindowHoldsTheAnswerAndTheNextMessageComposesAnew", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.set(number, func(in *conversation.Integration) {
			in.WindowTemplate = &conversation.WindowTemplate{Name: "volver", Languages: []string{"en_US", "es_MX"}}
		})
		b.channels.OnSend(failing(2, fault.New(fault.Precondition, "WHATSAPP_WINDOW_CLOSED", "closed")))
		b.run(b.worker)
		first := b.receive(b.says("573001234567", "¿tienen talla 40?"))
		b.outcome(first, conversation.OutcomeHeld)
		b.quiet()
		templates := b.channels.Templates()
		require.Len(t, templates, 1)
		require.Equal(t, "volver", templates[0].GetTemplate())
		require.Equal(t, "es_MX", templates[0].GetLanguage(), "the nearest language")
		require.Empty(t, b.channels.Sent())

		// Held again in the same window, by the provider's clock: no second template.
		again := b.says("573001234567", "¿hola?")
		b.exec(`update conversations set last_customer_time = now() + interval '1 minute', invited_for = now() + interval '1 minute'`)
		b.receive(again)
		b.quiet()
		require.Len(t, b.channels.Templates(), 1)

		second := b.receive(b.says("573001234567", "sigo aquí"))
		b.outcome(second, conversation.OutcomeAnswered)
		b.outcome(first, conversation.OutcomeAnswered)
		b.quiet()
		require.Len(t, b.channels.Sent(), 1)
		last := b.rag.Asked()[len(b.rag.Asked())-1]
		require.EqualValues(t, 3, last.GetOpenTurns(), "what was held is asked again")
	})
}
