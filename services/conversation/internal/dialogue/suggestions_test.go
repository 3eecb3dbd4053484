package dialogue_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/conversation"
)

// offering makes rag offer two sections with every answer, and say what it rests on.
func offering(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.rag.OnResponse(func(r *ragv1.GenerateAnswerResponse) {
		r.Suggestions = []*ragv1.Suggestion{
			{Title: "Plazos de entrega", Question: "Envíos: Plazos de entrega"}, {Title: "Seguimiento", Question: "Envíos: Seguimiento"},
		}
		r.Citations = []*ragv1.Citation{{DocumentId: "d1", PassageId: "p1"}, {DocumentId: "d1", PassageId: "p2"}}
		r.Confidence, r.Usage = 0.7, &ragv1.Usage{Model: "m", InputTokens: 3, OutputTokens: 2, CostMicros: 70}
	})
	b.run(b.worker)
	return b
}

// press is a press on the nth button under what was sent.
func (b *bundle) press(chat int64, sent *channelsv1.SendMessageRequest, n int) conversation.Event {
	e := b.telegram(chat, "")
	m := e.Content.(*conversation.InboundMessage)
	e.Kind = "callback_query"
	e.Content = &conversation.ButtonPress{
		CallbackID: e.Key, Sender: m.Sender, Address: &m.Address, ButtonID: buttonsOf(sent)[n].GetId(),
	}
	return e
}

func buttonsOf(sent *channelsv1.SendMessageRequest) (out []*channelsv1.Button) {
	for _, row := range sent.GetContent().GetButtonRows() {
		out = append(out, row.GetButtons()...)
	}
	return out
}

// sent waits for the nth message, from 1.
func (b *bundle) sent(n int) *channelsv1.SendMessageRequest {
	b.t.Helper()
	b.eventually(func() bool { return len(b.channels.Sent()) >= n }, "sent")
	b.quiet()
	return b.channels.Sent()[n-1]
}

func TestSuggestions(t *testing.T) {
	t.Parallel()

	t.Run("AreButtonsARowEach", func(t *testing.T) {
		t.Parallel()
		b := offering(t)
		b.receive(b.says("573001234567", "¿cuánto cuesta?"))
		sent := b.sent(1)
		require.Len(t, sent.GetContent().GetButtonRows(), 2)
		require.Equal(t, "respuesta a: ¿cuánto cuesta?", sent.GetContent().GetText())
		seen := map[string]bool{}
		for _, button := range buttonsOf(sent) {
			require.Regexp(t, `^q[0-9][A-Za-z0-9_-]{22}$`, button.GetId(), "within Telegram's 64 bytes of callback data")
			require.False(t, seen[button.GetId()])
			seen[button.GetId()] = true
		}
		require.Equal(t, "Plazos de entrega", buttonsOf(sent)[0].GetTitle())
	})

	t.Run("PressAsksWhatTheButtonStandsForWithoutItsMessage", func(t *testing.T) {
		t.Parallel()
		b := offering(t)
		b.receive(b.telegram(7, "¿cuánto cuesta?"))
		r := b.receive(b.press(7, b.sent(1), 1))
		require.Equal(t, "respuesta a: Envíos: Seguimiento", b.sent(2).GetContent().GetText())
		b.outcome(r, conversation.OutcomeAnswered)
		asked := b.rag.Asked()[1]
		require.Len(t, asked.GetTurns(), 1, "it stands alone")
		require.Empty(t, asked.GetTurns()[0].GetContext())
	})

	t.Run("ReplyOnWhatsAppIsTheQuestionAndNotItsLabel", func(t *testing.T) {
		t.Parallel()
		b := offering(t)
		b.receive(b.says("573001234567", "¿cuánto cuesta?"))
		first := b.sent(1)
		b.receive(of(b.says("573001234567", "Plazos de entrega"), func(m *conversation.InboundMessage) {
			m.Kind, m.ButtonID = conversation.KindButtonReply, buttonsOf(first)[0].GetId()
			m.ReplyToMessageID = "wamid." + first.GetRequestId()
		}))
		require.Equal(t, "respuesta a: Envíos: Plazos de entrega", b.sent(2).GetContent().GetText())
		asked := b.rag.Asked()[1]
		require.Empty(t, asked.GetTurns()[0].GetContext(), "the answer above the button is not what it is about")
		said := b.said()
		require.Equal(t, "respuesta a: ¿cuánto cuesta?", said[2].Quoted, "it is shown as quoted all the same")
	})

	t.Run("PressBesideWordsKeepsTheHistory", func(t *testing.T) {
		t.Parallel()
		b := offering(t)
		b.receive(b.telegram(7, "¿cuánto cuesta?"))
		first := b.sent(1)
		b.receive(b.press(7, first, 0), b.telegram(7, "¿y eso?"))
		b.sent(2)
		require.Len(t, b.rag.Asked()[1].GetTurns(), 4)
	})

	t.Run("UnknownButtonGetsASentence", func(t *testing.T) {
		t.Parallel()
		b := offering(t)
		b.receive(b.telegram(7, "¿cuánto cuesta?"))
		first := b.sent(1)
		for i, id := range []string{"opt1", "q9AAAAAAAAAAAAAAAAAAAAAA", "q0AAAAAAAAAAAAAAAAAAAAAA", "q0", "q2" + buttonsOf(first)[0].GetId()[2:]} {
			e := b.press(7, first, 0)
			e.Content.(*conversation.ButtonPress).ButtonID = id
			b.receive(e)
			require.Contains(t, b.sent(2+i).GetContent().GetText(), "Ese botón ya no está disponible", id)
		}
		require.Len(t, b.rag.Asked(), 1)
	})

	t.Run("ButtonOfAnotherIntegrationIsUnknown", func(t *testing.T) {
		t.Parallel()
		b := offering(t)
		b.receive(b.says("573001234567", "¿cuánto cuesta?"))
		b.receive(b.press(7, b.sent(1), 0))
		require.Contains(t, b.sent(2).GetContent().GetText(), "Ese botón ya no está disponible")
	})

	t.Run("NoneInGroupsNorWhereTheyAreOffNorForASecondMessage", func(t *testing.T) {
		t.Parallel()
		b := offering(t)
		b.receive(of(b.telegram(-100, "¿cuánto cuesta?"), func(m *conversation.InboundMessage) { m.Group = true }))
		require.Empty(t, buttonsOf(b.sent(1)))
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) {
			return strings.Repeat("ñ", 1001), nil
		})
		b.receive(b.says("573001234567", "¿cuánto cuesta?"))
		require.Empty(t, buttonsOf(b.sent(2)))
		b.set(bot, func(in *conversation.Integration) { in.Suggestions = false })
		b.receive(b.telegram(8, "¿cuánto cuesta?"))
		require.Empty(t, buttonsOf(b.sent(3)))
	})

	t.Run("AreTheSameInASecondTry", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.rag.OnResponse(func(r *ragv1.GenerateAnswerResponse) {
			r.Suggestions = []*ragv1.Suggestion{{Title: "Plazos", Question: "Envíos: Plazos"}}
		})
		var tries []*channelsv1.SendMessageRequest
		b.channels.OnSend(func(_ context.Context, r *channelsv1.SendMessageRequest) error {
			if tries = append(tries, r); len(tries) == 1 {
				return unavailable()
			}
			return nil
		})
		b.run(b.worker)
		b.receive(b.says("573001234567", "¿cuánto cuesta?"))
		b.eventually(func() bool { b.hurry(); return len(b.channels.Sent()) == 1 }, "sent at the second try")
		b.quiet()
		require.Equal(t, tries[0].GetContent().GetButtonRows()[0].GetButtons()[0].GetId(), buttonsOf(tries[1])[0].GetId())
	})
}

// said returns the messages of the only conversation.
func (b *bundle) said() []conversation.Message {
	b.t.Helper()
	talks, err := b.store.Conversations(b.t.Context(), conversation.Filter{Limit: 2})
	require.NoError(b.t, err)
	require.Len(b.t, talks, 1)
	said, err := b.store.Messages(b.t.Context(), talks[0].ID, 0, 100)
	require.NoError(b.t, err)
	return said
}

func TestAnswerIsStoredWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	b := offering(t)
	b.set(number, func(in *conversation.Integration) { in.KnowledgeBase = "tienda" })
	b.receive(b.says("573001234567", "¿cuánto cuesta?"))
	first := b.sent(1)
	require.Equal(t, &conversation.Basis{
		Outcome: "answered", KnowledgeBase: "tienda", Documents: []string{"d1"}, Passages: []string{"p1", "p2"}, Confidence: 0.7,
		Model: "m", InputTokens: 3, OutputTokens: 2, CostMicros: 70,
	}, b.said()[1].Basis)
	require.Nil(t, b.said()[0].Basis)

	b.receive(of(b.says("573001234567", "¿y eso?"), func(m *conversation.InboundMessage) { m.ReplyToMessageID = "wamid." + first.GetRequestId() }))
	b.sent(2)
	turns := b.rag.Asked()[1].GetTurns()
	require.Len(t, turns, 3)
	require.Empty(t, turns[0].GetCitedPassageIds())
	require.Equal(t, []string{"p1", "p2"}, turns[1].GetCitedPassageIds(), "rag leaves out what is no more")
	require.Equal(t, "respuesta a: ¿cuánto cuesta?", turns[2].GetContext())
	require.Equal(t, []string{"p1", "p2"}, turns[2].GetCitedPassageIds(), "of the answer that is quoted")
}
