package ingest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
)

func echo(m *conversation.InboundMessage) {
	m.Echo, m.Sender = true, conversation.Sender{PhoneNumber: "15550001111"}
}

func TestStaffPause(t *testing.T) {
	t.Parallel()

	t.Run("NothingIsShownToACustomerWhileStaffHasTheWord", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		pause := time.Hour
		b.know(func(in *conversation.Integration) { in.StaffPause = &pause })
		b.receive(of(b.says("le atiendo yo"), echo))
		b.receive(b.says("gracias"))
		b.receive(b.says("¿y?"), of(b.says("listo"), echo))
		require.Empty(t, b.shown.kinds())
		require.Equal(t, 1, b.count("conversations where bot_paused_until > now() + interval '50 minutes'"))
	})

	t.Run("AnswersOfABotOnTheOwnersBehalfPauseNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		pause := time.Hour
		b.know(func(in *conversation.Integration) { in.StaffPause = &pause })
		r := b.receive(of(b.says("nuestra propia respuesta"), func(m *conversation.InboundMessage) { m.Echo, m.Sender.Bot = true, true }))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, r.Outcomes)
		require.Zero(t, b.count("conversations"))
	})
}

func TestNothingThatOnlyCommentsStartsATurn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var events []conversation.Event
	for _, kind := range []conversation.MessageKind{
		conversation.KindReaction, conversation.KindSystem, conversation.KindEdit, conversation.KindDeletion,
	} {
		events = append(events, of(b.says("👍"), func(m *conversation.InboundMessage) { m.Kind, m.OriginalMessageID = kind, "wamid.0" }))
	}
	events = append(events, conversation.Event{Key: "status:1", Integration: number, Kind: "status.read", Content: &conversation.DeliveryReport{
		MessageID: "wamid.0", State: conversation.DeliveryRead,
	}})
	b.receive(events...)
	require.Zero(t, b.count("turns"))
	require.Zero(t, b.woken.Load())
	require.Equal(t, 1, b.count("delivery_reports"))
}

func TestStaleness(t *testing.T) {
	t.Parallel()
	b := setup(t)
	of := func(age time.Duration) conversation.Event {
		e := b.says("hola")
		e.OccurTime = time.Now().Add(-age)
		return e
	}
	unset := b.says("sin hora")
	unset.OccurTime = time.Time{}
	r := b.receive(of(24*time.Hour-time.Minute), of(24*time.Hour+time.Minute), of(8*24*time.Hour), of(-time.Hour), unset)
	require.Equal(t, []conversation.Outcome{
		conversation.OutcomeOpen, conversation.OutcomeStale, conversation.OutcomeStale, conversation.OutcomeOpen, conversation.OutcomeOpen,
	}, r.Outcomes)
	require.Equal(t, 2, b.count("messages where state = 'recorded'"), "they are kept")
	require.Equal(t, []courtesy.Kind{courtesy.ReadTyping}, b.shown.kinds())
	week := 10 * 24 * time.Hour
	b.know(func(in *conversation.Integration) { in.StaleAfter = &week })
	require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.receive(of(8*24*time.Hour)).Outcomes)
}
