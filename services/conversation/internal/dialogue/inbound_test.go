package dialogue_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/conversation"
)

// staff is what the company's own people write to a customer.
func (b *bundle) staff(phone, text string) conversation.Event {
	return of(b.says(phone, text), func(m *conversation.InboundMessage) {
		m.Echo, m.Sender = true, conversation.Sender{PhoneNumber: "15550001111"}
	})
}

func kind(k conversation.MessageKind) func(*conversation.InboundMessage) {
	return func(m *conversation.InboundMessage) { m.Kind = k }
}

func TestStaffHasTheWord(t *testing.T) {
	t.Parallel()
	pause := 30 * time.Minute
	paused := func(t *testing.T) *bundle {
		t.Helper()
		b := setup(t)
		b.set(number, func(in *conversation.Integration) { in.StaffPause = &pause })
		return b
	}

	t.Run("AnswerInCompositionIsNotSent", func(t *testing.T) {
		t.Parallel()
		b := paused(t)
		composing, release := make(chan struct{}, 8), make(chan struct{})
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) {
			composing <- struct{}{}
			<-release
			return "borrador", nil
		})
		b.run(b.worker)
		r := b.receive(b.says("573001234567", "¿abren?"))
		<-composing
		b.receive(b.staff("573001234567", "sí"))
		close(release)
		b.outcome(r, conversation.OutcomeAnsweredByStaff)
		b.receive(b.says("573009999999", "¿y a mí?"))
		b.eventually(func() bool { return len(b.channels.Sent()) == 1 }, "others are answered")
		require.Equal(t, "573009999999", b.channels.Sent()[0].GetAddress().GetUser().GetPhoneNumber())
	})

	t.Run("DecidedAnswerStillGoesOut", func(t *testing.T) {
		t.Parallel()
		b := paused(t)
		sending, release := make(chan struct{}, 8), make(chan struct{})
		b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error {
			sending <- struct{}{}
			<-release
			return nil
		})
		b.run(b.worker)
		r := b.receive(b.says("573001234567", "¿abren?"))
		<-sending
		b.receive(b.staff("573001234567", "sí"))
		close(release)
		b.outcome(r, conversation.OutcomeAnswered)
		b.quiet()
	})

	t.Run("WhomNobodyAnsweredIsAnsweredWhenThePauseIsOver", func(t *testing.T) {
		t.Parallel()
		b := paused(t)
		b.run(b.worker)
		b.receive(b.staff("573001234567", "hola, soy Leo"))
		r := b.receive(b.says("573001234567", "¿y los domingos?"))
		b.receive(b.says("573009999999", "¿y a mí?"))
		b.eventually(func() bool { return len(b.channels.Sent()) == 1 }, "others are answered")
		list, err := b.store.Conversations(t.Context(), conversation.Filter{Limit: 10})
		require.NoError(t, err)
		for _, c := range list {
			if c.BotPausedUntil != nil {
				_, err := b.store.Resume(t.Context(), c.ID)
				require.NoError(t, err)
			}
		}
		b.worker.Wake()
		b.outcome(r, conversation.OutcomeAnswered)
		asked := b.rag.Asked()
		require.Equal(t, ragv1.Turn_ROLE_STAFF, asked[len(asked)-1].GetTurns()[0].GetRole(), "and the answerer knows what staff said")
	})
}

func TestWhatHoldsNothingToReadGetsOneSentence(t *testing.T) {
	t.Parallel()
	const album = "album-1"
	part := func(caption string) func(*conversation.InboundMessage) {
		return func(m *conversation.InboundMessage) {
			m.Kind, m.Text, m.AlbumID = conversation.KindImage, caption, album
		}
	}

	t.Run("AlsoWhenSeveralKindsComeTogether", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(of(b.says("573001234567", ""), kind(conversation.KindVoice)), of(b.says("573001234567", ""), kind(conversation.KindSticker)),
			of(b.says("573001234567", ""), kind(conversation.KindImage)), of(b.says("573001234567", ""), kind(conversation.KindImage)))
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceImage.In("es")}, b.channels.Texts())
	})

	t.Run("BelowTheAnswerWhereThereIsAQuestionToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(of(b.says("573001234567", ""), kind(conversation.KindVoice)), b.says("573001234567", "¿abren?"),
			of(b.says("573001234567", ""), kind(conversation.KindVoice)))
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{"respuesta a: ¿abren?\n\n" + conversation.SentenceVoice.In("es")}, b.channels.Texts())
	})

	t.Run("AlbumIsOneQuestionOfItsCaptions", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(of(b.says("573001234567", ""), part("")), of(b.says("573001234567", ""), part("el rojo")))
		b.receive(of(b.says("573001234567", ""), part("¿cuánto cuesta?")))
		require.Equal(t, 1, b.count("turns where due_at > now() + interval '500 milliseconds'"), "its last part is waited for")
		b.exec(`update turns set due_at = now()`)
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{"respuesta a: el rojo\n¿cuánto cuesta?"}, b.channels.Texts())
		require.EqualValues(t, 1, b.rag.Asked()[0].GetOpenTurns())
	})

	t.Run("AlbumWithoutCaptionsToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(of(b.says("573001234567", ""), part("")), of(b.says("573001234567", ""), part("")))
		b.exec(`update turns set due_at = now()`)
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceImage.In("es")}, b.channels.Texts())
	})

	t.Run("GreetingComesFirst", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(of(b.says("573001234567", "/start"), func(m *conversation.InboundMessage) {
			m.Kind, m.Command = conversation.KindCommand, "start"
		}), of(b.says("573001234567", ""), kind(conversation.KindSticker)))
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceGreeting.In("es") + "\n\n" + conversation.SentenceSticker.In("es")}, b.channels.Texts())
	})
}

func TestQuotesReachTheAnswererBesideTheText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.receive(of(b.says("573001234567", "¿y este?"), func(m *conversation.InboundMessage) {
		m.ReplyToMessageID, m.QuotedText = "wamid.0", "Casco rojo\x07"
		m.Referral = &conversation.Referral{Headline: "Feria", Body: "Todo a mitad"}
	}))
	b.run(b.worker)
	b.quiet()
	turn := b.rag.Asked()[0].GetTurns()[0]
	require.Equal(t, "¿y este?", turn.GetText())
	require.Equal(t, "Casco rojo\nFeria\nTodo a mitad", turn.GetContext())
}

func TestEditDuringComposingIsAnsweredAsCorrected(t *testing.T) {
	t.Parallel()
	b := setup(t)
	composing, release := make(chan struct{}, 8), make(chan struct{})
	b.rag.OnAnswer(func(_ context.Context, q *ragv1.GenerateAnswerRequest) (string, error) {
		composing <- struct{}{}
		<-release
		return "respuesta a: " + q.GetTurns()[0].GetText(), nil
	})
	b.run(b.worker)
	asked := b.says("573001234567", "¿abren el lunez?")
	b.receive(asked)
	<-composing
	b.receive(of(b.says("573001234567", "¿abren el lunes?"), func(m *conversation.InboundMessage) {
		m.Kind, m.OriginalMessageID = conversation.KindEdit, asked.Content.(*conversation.InboundMessage).MessageID
	}))
	close(release)
	b.quiet()
	require.Equal(t, []string{"respuesta a: ¿abren el lunes?"}, b.channels.Texts())
}
