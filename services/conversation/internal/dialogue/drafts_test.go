package dialogue_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/dialogue"
)

// streaming is a bundle whose bot shows drafts, at least so far apart.
func streaming(t *testing.T, apart time.Duration, changes ...func(*dialogue.Config)) *bundle {
	t.Helper()
	b := setup(t, append(changes, func(c *dialogue.Config) { c.Drafts = apart })...)
	b.set(bot, func(in *conversation.Integration) { in.StreamDrafts = true })
	b.set(number, func(in *conversation.Integration) { in.StreamDrafts = true })
	return b
}

// onStream makes rag write in pieces: it waits for each draft to be shown, or for so many calls that failed.
func (b *bundle) onStream(pieces ...string) {
	b.rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
		before := len(b.channels.Drafts())
		for n, text := range pieces {
			draft(text)
			b.eventually(func() bool { return len(b.channels.Drafts()) > before+n }, "draft "+text)
		}
		return "respuesta entera", nil
	})
}

func TestStreamedAnswers(t *testing.T) {
	t.Parallel()

	t.Run("DraftsAreShownAndThenTheAnswer", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Millisecond)
		b.onStream("Uno.", "Uno. Dos.")
		b.run(b.worker)
		for range 2 {
			r := b.receive(b.telegram(7, "¿cuánto?"))
			b.outcome(r, conversation.OutcomeAnswered)
		}
		b.quiet()
		require.Equal(t, []string{"respuesta entera", "respuesta entera"}, b.channels.Texts())
		drafts := b.channels.Drafts()
		require.Len(t, drafts, 4)
		require.Equal(t, "Uno.", drafts[0].GetText())
		require.Equal(t, "Uno. Dos.", drafts[1].GetText())
		require.Equal(t, string(bot), drafts[0].GetAddress().GetIntegrationId())
		require.EqualValues(t, 7, drafts[0].GetAddress().GetChat().GetId())
		require.NotZero(t, drafts[0].GetDraftId())
		require.Equal(t, drafts[0].GetDraftId(), drafts[1].GetDraftId())
		require.NotEqual(t, drafts[1].GetDraftId(), drafts[2].GetDraftId(), "each answer has drafts of its own")
	})

	t.Run("NewestWinsAndTheWriterNeverWaits", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Millisecond)
		written, first := make(chan struct{}), make(chan struct{})
		b.channels.OnDraft(func(_ context.Context, r *channelsv1.SendDraftRequest) error {
			if r.GetText() == "0" {
				close(first)
				<-written
			}
			return nil
		})
		b.rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
			draft("0")
			<-first
			for n := range 100 {
				draft(fmt.Sprint(n + 1))
			}
			close(written)
			b.eventually(func() bool { d := b.channels.Drafts(); return d[len(d)-1].GetText() == "100" }, "the newest")
			return "fin", nil
		})
		b.run(b.worker)
		b.receive(b.telegram(7, "¿cuánto?"))
		b.quiet()
		require.Equal(t, []string{"fin"}, b.channels.Texts())
		require.Less(t, len(b.channels.Drafts()), 100)
	})

	t.Run("AtMostOneInItsTime", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Hour)
		b.rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
			draft("0")
			b.eventually(func() bool { return len(b.channels.Drafts()) == 1 }, "first")
			for range 20 {
				draft("más")
			}
			return "fin", nil
		})
		b.run(b.worker)
		b.receive(b.telegram(7, "¿cuánto?"))
		b.quiet()
		require.Equal(t, []string{"fin"}, b.channels.Texts())
		require.Len(t, b.channels.Drafts(), 1)
	})

	t.Run("FirstRefusalEndsThemAndTypingGoesOn", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{fault.New(fault.Throttled, "THROTTLED", "x").WithRetryAfter(time.Minute), unavailable()} {
			b := streaming(t, time.Millisecond, func(c *dialogue.Config) { c.Typing = 5 * time.Millisecond })
			b.channels.OnDraft(func(context.Context, *channelsv1.SendDraftRequest) error { return err })
			b.rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
				draft("Uno.")
				b.seen("draft")
				for range 20 {
					draft("Uno. Dos.")
				}
				b.seen("typing")
				b.seen("typing")
				return "fin", nil
			})
			b.run(b.worker)
			r := b.receive(b.telegram(7, "¿cuánto?"))
			b.outcome(r, conversation.OutcomeAnswered)
			require.Equal(t, []string{"fin"}, b.channels.Texts())
			require.Len(t, b.channels.Drafts(), 1)
		}
	})

	t.Run("TypingEndsWithTheFirstDraft", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Millisecond, func(c *dialogue.Config) { c.Typing = 2 * time.Millisecond })
		late := make(chan int, 1)
		b.rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
			b.seen("typing")
			draft("Uno.")
			b.seen("draft")
			draft("Uno. Dos.")
			b.seen("draft") // the first one is over
			typed := 0
			for n := range 60 { // time passes without a clock
				draft(fmt.Sprint("Tres ", n))
				typed += b.passed("draft", "typing")
			}
			late <- typed
			return "fin", nil
		})
		b.run(b.worker)
		b.receive(b.telegram(7, "¿cuánto?"))
		b.quiet()
		require.Equal(t, []string{"fin"}, b.channels.Texts())
		require.LessOrEqual(t, <-late, 1, "at most the one that was under way")
	})

	t.Run("CustomerWhoWritesMeanwhileGetsOneAnswerToAll", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Millisecond)
		b.rag.OnStream(func(_ context.Context, q *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
			draft("Uno.")
			b.seen("draft")
			if q.GetOpenTurns() == 1 {
				b.receive(b.telegram(7, "y otra cosa"))
			}
			return fmt.Sprintf("a %d", q.GetOpenTurns()), nil
		})
		b.run(b.worker)
		b.receive(b.telegram(7, "¿cuánto?"))
		b.quiet()
		require.Equal(t, []string{"a 2"}, b.channels.Texts(), "the drafts of the first answer just stop")
	})

	t.Run("BrokenStreamIsAFailureAndTriedAgain", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Millisecond)
		calls := 0
		b.rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
			if calls++; calls == 1 {
				draft("Uno.")
				return "", fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "x")
			}
			return "fin", nil
		})
		b.run(b.worker)
		b.receive(b.telegram(7, "¿cuánto?"))
		b.eventually(func() bool { return b.count("turns where attempt = 1 and last_error = 'INDEX_UNAVAILABLE'") == 1 }, "recorded")
		b.hurry()
		b.quiet()
		require.Equal(t, []string{"fin"}, b.channels.Texts())
	})

	t.Run("HangingDraftDelaysTheAnswerByLittle", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Millisecond)
		b.channels.OnDraft(func(ctx context.Context, _ *channelsv1.SendDraftRequest) error { <-ctx.Done(); return ctx.Err() })
		b.rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
			draft("Uno.")
			b.seen("draft")
			return "fin", nil
		})
		b.run(b.worker)
		b.receive(b.telegram(7, "¿cuánto?"))
		b.quiet()
		require.Equal(t, []string{"fin"}, b.channels.Texts())
		require.Len(t, b.channels.Drafts(), 1)
	})

	t.Run("WhereNoDraftCanBeShownNoneIsAskedFor", func(t *testing.T) {
		t.Parallel()
		b := streaming(t, time.Millisecond)
		b.onStream("Uno.")
		b.run(b.worker)
		b.receive(b.says("573001234567", "por WhatsApp"))
		b.receive(of(b.telegram(7, "en un grupo"), func(m *conversation.InboundMessage) { m.Group, m.Address.Chat = true, &conversation.Chat{ID: -100} }))
		b.receive(of(b.telegram(8, "a la empresa"), func(m *conversation.InboundMessage) { m.Address.Chat.BusinessConnectionID = "bc" }))
		b.quiet()
		b.set(bot, func(in *conversation.Integration) { in.StreamDrafts = false })
		b.receive(b.telegram(7, "apagado"))
		b.quiet()
		require.Zero(t, b.rag.Streamed())
		require.Len(t, b.channels.Texts(), 4)
	})
}

// seen waits for a call of a kind, passing over others.
func (b *bundle) seen(kind string) { b.passed(kind, "") }

// passed waits for a call of a kind and returns how many of another kind came before it.
func (b *bundle) passed(kind, other string) int {
	for n := 0; ; {
		select {
		case call := <-b.channels.Seen:
			switch call {
			case kind:
				return n
			case other:
				n++
			}
		case <-time.After(patience):
			b.t.Error("no " + kind)
			return n
		}
	}
}
