package dialogue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/dialogue"
)

func TestInterleaving(t *testing.T) {
	t.Parallel()

	t.Run("MessageDuringComposingIsAnsweredTogether", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		composing, release := make(chan struct{}, 8), make(chan struct{})
		b.rag.OnAnswer(func(_ context.Context, q *ragv1.GenerateAnswerRequest) (string, error) {
			composing <- struct{}{}
			<-release
			return fmt.Sprintf("%d preguntas", q.GetOpenTurns()), nil
		})
		b.run(b.worker)
		b.receive(b.says("573001234567", "uno"))
		<-composing
		b.receive(b.says("573001234567", "dos"))
		close(release)
		b.quiet()
		require.Equal(t, []string{"2 preguntas"}, b.channels.Texts())
	})

	t.Run("MessageBetweenCheckpointAndSendGetsItsOwnAnswer", func(t *testing.T) {
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
		b.receive(b.says("573001234567", "dos"))
		close(release)
		b.quiet()
		require.Equal(t, []string{"respuesta a: uno", "respuesta a: dos"}, b.channels.Texts())
	})

	t.Run("MessageBetweenSendAndFinishGetsItsOwnAnswer", func(t *testing.T) {
		t.Parallel()
		var b *bundle
		first := make(chan struct{}, 1)
		first <- struct{}{}
		b = setup(t)
		b.worker = b.newWorker(func(c *dialogue.Config) {
			c.Mailbox = beforeFinish{Mailbox: b.store, call: func() {
				select {
				case <-first:
					b.receive(b.says("573001234567", "dos"))
				default:
				}
			}}
		})
		b.run(b.worker)
		b.receive(b.says("573001234567", "uno"))
		b.eventually(func() bool { return len(b.channels.Sent()) == 2 }, "both answered")
		b.quiet()
		require.Equal(t, []string{"respuesta a: uno", "respuesta a: dos"}, b.channels.Texts())
	})

	for _, step := range []string{"Dialogue", "Checkpoint", "Finish"} {
		for _, when := range []string{"Before", "After"} {
			t.Run("Crash"+when+step+"AnswersOnce", func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				crashing := &crash{Mailbox: b.store, step: step, after: when == "After", dead: make(chan struct{})}
				b.receive(b.says("573001234567", "uno"))
				dying := b.newWorker(func(c *dialogue.Config) { c.Mailbox = crashing; c.Lease = time.Hour })
				stop := b.run(dying)
				<-crashing.dead
				stop()
				b.exec(`update turns set lease_until = now() - interval '1 second'`)
				b.run(b.newWorker())
				b.quiet()
				require.Len(t, b.channels.Sent(), 1)
				require.Equal(t, 1, b.count("messages where role = 'customer' and state = 'answered'"))
				require.Equal(t, 1, b.count("messages where role = 'assistant' and state = 'sent'"))
			})
		}
	}

	t.Run("ManyCustomersDuplicatesAndWorkersThatVanish", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.rag.OnAnswer(func(_ context.Context, q *ragv1.GenerateAnswerRequest) (string, error) {
			var open []string
			for _, turn := range q.GetTurns()[len(q.GetTurns())-int(q.GetOpenTurns()):] {
				open = append(open, turn.GetText())
			}
			return strings.Join(open, " "), nil
		})
		const customers, questions = 12, 10
		stop := b.run(b.newWorker())
		var asking sync.WaitGroup
		for c := range customers {
			asking.Go(func() {
				phone := fmt.Sprintf("5730000000%02d", c)
				for q := range questions {
					e := b.says(phone, fmt.Sprintf("p%d", q))
					b.receive(e)
					if rand.N(5) == 0 {
						b.receive(e)
					}
				}
			})
		}
		for range 3 {
			b.eventually(func() bool { return len(b.channels.Sent()) > 2 }, "under way")
			stop()
			stop = b.run(b.newWorker())
		}
		asking.Wait()
		b.quiet()
		said := map[string][]string{}
		for _, s := range b.channels.Sent() {
			phone := s.GetAddress().GetUser().GetPhoneNumber()
			said[phone] = append(said[phone], strings.Fields(s.GetContent().GetText())...)
		}
		require.Len(t, said, customers)
		for phone, answers := range said {
			var want []string
			for q := range questions {
				want = append(want, fmt.Sprintf("p%d", q))
			}
			require.Equal(t, want, answers, "each once, in order: %s", phone)
		}
	})
}

// beforeFinish calls something when an answer is out and not yet stored as such.
type beforeFinish struct {
	conversation.Mailbox
	call func()
}

func (m beforeFinish) Finish(ctx context.Context, t conversation.Turn, a conversation.Answer, s conversation.Sent) error {
	m.call()
	return m.Mailbox.Finish(ctx, t, a, s)
}

// crash is a mailbox whose worker dies at a step: from then on nothing of it arrives.
type crash struct {
	conversation.Mailbox
	step  string
	after bool
	once  sync.Once
	dead  chan struct{}
}

// die carries the step out or not, and then nothing more happens in this worker.
func die[T any](c *crash, step string, call func() (T, error)) (T, error) {
	var zero T
	select {
	case <-c.dead:
		return zero, conversation.ErrLeaseLost
	default:
	}
	if c.step != step {
		return call()
	}
	if c.after {
		_, _ = call()
	}
	c.once.Do(func() { close(c.dead) })
	return zero, conversation.ErrLeaseLost
}

func (c *crash) Dialogue(ctx context.Context, t conversation.Turn) (conversation.Dialogue, error) {
	return die(c, "Dialogue", func() (conversation.Dialogue, error) { return c.Mailbox.Dialogue(ctx, t) })
}

func (c *crash) Hear(ctx context.Context, t conversation.Turn, m conversation.MessageID, s conversation.StoredMedia, transcript string) error {
	_, err := die(c, "Hear", func() (struct{}, error) { return struct{}{}, c.Mailbox.Hear(ctx, t, m, s, transcript) })
	return err
}

func (c *crash) Checkpoint(ctx context.Context, t conversation.Turn, d conversation.Draft) (conversation.Answer, error) {
	return die(c, "Checkpoint", func() (conversation.Answer, error) { return c.Mailbox.Checkpoint(ctx, t, d) })
}

func (c *crash) Finish(ctx context.Context, t conversation.Turn, a conversation.Answer, s conversation.Sent) error {
	_, err := die(c, "Finish", func() (struct{}, error) { return struct{}{}, c.Mailbox.Finish(ctx, t, a, s) })
	return err
}
