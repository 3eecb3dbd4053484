package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// subscribe adds a subscription to everything, of one integration or of all.
func (b *bundle) subscribe(integration conversation.IntegrationID, types ...conversation.NoticeType) conversation.SubscriptionID {
	b.t.Helper()
	if len(types) == 0 {
		types = conversation.NoticeTypes()
	}
	s, err := b.store.CreateSubscription(b.t.Context(), conversation.Subscription{
		ID: conversation.SubscriptionID(uuid.NewString()), URL: "https://shop.example/hooks", Types: types, Integration: integration, Enabled: true,
	}, []byte("sealed"))
	require.NoError(b.t, err)
	return s.ID
}

// told returns what a subscription is told, in the order in which it happened.
func (b *bundle) told(id conversation.SubscriptionID) []conversation.NoticeType {
	b.t.Helper()
	notices, err := b.store.Notices(b.t.Context(), conversation.NoticeFilter{Subscription: id, Limit: 100})
	require.NoError(b.t, err)
	var out []conversation.NoticeType
	for i := len(notices) - 1; i >= 0; i-- {
		out = append(out, notices[i].Type)
	}
	return out
}

func TestSubscribersAreTold(t *testing.T) {
	t.Parallel()

	t.Run("MessageAndItsAnswerAreTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("")
		b.receive(b.says("¿abren?"))
		b.answer("sí")
		require.Equal(t, []conversation.NoticeType{conversation.NoticeReceived, conversation.NoticeAnswered}, b.told(s))
	})

	t.Run("WithoutASubscriptionNothingIsStored", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		b.answer("sí")
		require.Zero(t, b.count("subscription_deliveries"))
	})

	t.Run("OnlyWhatIsSubscribedToIsTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		answers, elsewhere := b.subscribe(number, conversation.NoticeAnswered), b.subscribe("another")
		off := b.subscribe("")
		no := false
		_, err := b.store.UpdateSubscription(t.Context(), off, conversation.SubscriptionChange{Enabled: &no})
		require.NoError(t, err)
		b.receive(b.says("¿abren?"))
		b.answer("sí")
		require.Equal(t, []conversation.NoticeType{conversation.NoticeAnswered}, b.told(answers))
		require.Empty(t, b.told(elsewhere))
		require.Empty(t, b.told(off))
	})

	t.Run("RepeatsReactionsAndStaffAreNoMessagesOfCustomers", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("")
		b.receive(b.says("hola", keyed("msg:1")))
		b.receive(b.says("hola", keyed("msg:1")))
		b.receive(b.staff("hola"))
		b.receive(b.says("👍", recorded, func(a *conversation.Arrival) { a.Message.Kind = conversation.KindReaction }))
		require.Equal(t, []conversation.NoticeType{conversation.NoticeReceived}, b.told(s))
	})

	t.Run("CustomerWhoAsksForAPersonIsTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("", conversation.NoticeAnswered, conversation.NoticeHandedOver)
		b.receive(b.says("quiero hablar con alguien"))
		turn := b.claimOne()
		d := draft(turn, "Te contacto con una persona.")
		d.Basis = &conversation.Basis{Outcome: "handoff"}
		a, err := b.store.Checkpoint(t.Context(), turn, d)
		require.NoError(t, err)
		require.Empty(t, b.told(s), "not before it went out")
		b.finish(turn, a)
		require.ElementsMatch(t, []conversation.NoticeType{conversation.NoticeAnswered, conversation.NoticeHandedOver}, b.told(s))
		require.Equal(t, "handoff", b.talk().LastOutcome)
		require.Nil(t, b.talk().BotPausedUntil, "the bot goes on until somebody takes over")
	})

	t.Run("HandOverIsToldOnceUntilItIsOver", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("", conversation.NoticeHandedOver)
		b.receive(b.says("hola"))
		b.handOver()
		b.handOver()
		require.Len(t, b.told(s), 1)
		require.Equal(t, 1, b.count(`subscription_deliveries where details = '{"cause": "staff_took_over", "staff": "Leo", "reason": "reclamo"}'`))
		b.over()
		b.handOver()
		require.Len(t, b.told(s), 2)
	})

	t.Run("ReplyOfStaffIsToldAsAnAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("", conversation.NoticeAnswered, conversation.NoticeFailed)
		b.receive(b.says("hola"))
		b.reply("uno")
		turn := b.claimOne()
		b.finish(turn, *turn.Answer)
		b.reply("dos")
		turn = b.claimOne()
		require.NoError(t, b.store.Abandon(t.Context(), turn, *turn.Answer, "REFUSED"))
		require.Equal(t, []conversation.NoticeType{conversation.NoticeAnswered, conversation.NoticeFailed}, b.told(s))
	})

	t.Run("WhatWillNotBeAnsweredIsToldOncePerMessage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("", conversation.NoticeFailed)
		b.receive(b.says("uno"), b.says("dos"))
		require.NoError(t, b.store.Bury(t.Context(), b.claimOne(), "MODEL_UNAVAILABLE", "lo siento"))
		apology := b.claimOne()
		require.NoError(t, b.store.Abandon(t.Context(), apology, *apology.Answer, "REFUSED"))
		require.Len(t, b.told(s), 2, "of the apology nobody is told")
	})

	t.Run("ChatThatCannotBeReachedIsTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("", conversation.NoticeFailed)
		b.receive(b.says("¿abren?", telegram("7", "ana", conversation.Chat{ID: 7}, false)))
		b.receive(ofBot(b.notice(conversation.Blocked, "7", "")))
		require.Len(t, b.told(s), 1)
	})

	t.Run("AnswerThatDidNotArriveIsTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("", conversation.NoticeFailed)
		b.receive(b.says("¿abren?"))
		a := b.answer("sí")
		for range 2 {
			require.NoError(t, b.store.SettleReports(t.Context(), []conversation.QueuedReport{{DeliveryReport: conversation.DeliveryReport{ErrorMessage: "131026"}}},
				[]conversation.ReportOutcome{{Request: a.Request, State: conversation.DeliveryFailed}}, nil))
		}
		require.Len(t, b.told(s), 1)
	})

	t.Run("WhatIsNotStoredIsNotTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("")
		b.exec(`alter table webhook_logs add constraint none check (platform <> 'whatsapp')`)
		_, err := b.store.Ingest(t.Context(), []conversation.Delivery{b.webhook(b.says("hola"))})
		require.ErrorIs(t, err, conversation.ErrRefused)
		require.Empty(t, b.told(s))
	})

	t.Run("OldOnesAreForgotten", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("")
		b.receive(b.says("uno"))
		b.exec(`update subscription_deliveries set create_time = now() - interval '8 days'`)
		b.receive(b.says("dos"))
		n, err := b.store.PruneNotices(t.Context(), 7*24*time.Hour, 100)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.Len(t, b.told(s), 1)
	})

	t.Run("DeletedSubscriptionLeavesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.subscribe("")
		b.receive(b.says("uno"))
		require.NoError(t, b.store.DeleteSubscription(t.Context(), s))
		require.ErrorIs(t, b.store.DeleteSubscription(t.Context(), s), conversation.ErrNotFound)
		require.Zero(t, b.count("subscription_deliveries"))
		require.ErrorIs(t, b.store.RotateSecret(t.Context(), s, []byte("x")), conversation.ErrNotFound)
	})
}
