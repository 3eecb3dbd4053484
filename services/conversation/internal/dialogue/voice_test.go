package dialogue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/answerer/ragtest"
	"github.com/knobot/knobot/services/conversation/internal/dialogue"
)

// voice is a voice note of a WhatsApp customer. What is in it, the file's own id says.
func (b *bundle) voice(phone, media string) conversation.Event {
	return of(b.says(phone, ""), func(m *conversation.InboundMessage) {
		m.Kind, m.Media = conversation.KindVoice, &conversation.Media{ID: media, MIMEType: "audio/ogg; codecs=opus"}
	})
}

// hears makes the answerer hear the recording itself.
func (b *bundle) hears() {
	b.rag.OnTranscribe(func(_ context.Context, h ragtest.Heard) (string, error) { return h.Recording, nil })
}

// joins makes the answerer repeat all open questions.
func (b *bundle) joins() {
	b.rag.OnAnswer(func(_ context.Context, q *ragv1.GenerateAnswerRequest) (string, error) {
		var open []string
		for _, turn := range q.GetTurns()[len(q.GetTurns())-int(q.GetOpenTurns()):] {
			open = append(open, turn.GetText())
		}
		return strings.Join(open, "|"), nil
	})
}

// messages returns the messages of the only conversation.
func (b *bundle) messages() []conversation.Message {
	b.t.Helper()
	talks, err := b.store.Conversations(context.Background(), conversation.Filter{Limit: 10, After: nil})
	require.NoError(b.t, err)
	require.Len(b.t, talks, 1)
	said, err := b.store.Messages(context.Background(), talks[0].ID, 0, 100)
	require.NoError(b.t, err)
	return said
}

const ana = "573001234567"

func TestVoice(t *testing.T) {
	t.Parallel()

	t.Run("TranscriptIsTheQuestionAndIsShownInTheHistory", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hears()
		b.run(b.worker)
		b.receive(b.voice(ana, "¿abren hoy?"))
		b.quiet()
		require.Equal(t, []string{"respuesta a: ¿abren hoy?"}, b.channels.Texts())
		heard := b.rag.Heard()
		require.Len(t, heard, 1)
		require.Equal(t, "audio/ogg; codecs=opus", heard[0].Header.GetMimeType())
		require.Empty(t, heard[0].Header.GetLanguage(), "nobody knows what a customer speaks")
		said := b.messages()[0]
		require.Empty(t, said.Text)
		require.Equal(t, "¿abren hoy?", said.Transcript)
		require.EqualValues(t, "stored-¿abren hoy?", said.Media.Stored)
		require.Zero(t, b.count("media_fetches"), "the queue has nothing left to do")

		b.receive(b.says(ana, "¿y mañana?"))
		b.quiet()
		asked := b.rag.Asked()[1]
		require.Equal(t, "¿abren hoy?", asked.GetTurns()[0].GetText())
		require.Equal(t, ragv1.Turn_ROLE_CUSTOMER, asked.GetTurns()[0].GetRole())
		require.Len(t, b.rag.Heard(), 1)
	})

	t.Run("NothingIsAskedBeforeTheTranscriptIsStored", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hears()
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) {
			require.Equal(t, 1, b.count("messages where transcript = 'hola'"))
			return "ya", nil
		})
		b.run(b.worker)
		b.receive(b.voice(ana, "hola"))
		b.quiet()
		require.Equal(t, []string{"ya"}, b.channels.Texts())
	})

	t.Run("BurstOfVoiceAndTextGetsOneAnswerInOrder", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hears()
		b.joins()
		captioned := of(b.voice(ana, "dos"), func(m *conversation.InboundMessage) { m.Text = "escucha" })
		b.receive(b.says(ana, "uno"), captioned, b.says(ana, "tres"), b.voice(ana, "cuatro"))
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{"uno|escucha\ndos|tres|cuatro"}, b.channels.Texts())
	})

	t.Run("CustomerWhoWritesMeanwhileGetsOneAnswerAndNothingIsHeardTwice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hearing, release := make(chan struct{}, 8), make(chan struct{})
		b.rag.OnTranscribe(func(_ context.Context, h ragtest.Heard) (string, error) {
			hearing <- struct{}{}
			<-release
			return h.Recording, nil
		})
		b.joins()
		b.run(b.worker)
		b.receive(b.voice(ana, "uno"))
		<-hearing
		b.receive(b.says(ana, "dos"))
		close(release)
		b.quiet()
		require.Equal(t, []string{"uno|dos"}, b.channels.Texts())
		require.Len(t, b.rag.Heard(), 1)
	})

	t.Run("WorkerKilledBetweenTranscriptAndAnswerCostsNoSecondHearing", func(t *testing.T) {
		t.Parallel()
		for _, when := range []string{"Hear", "Checkpoint"} {
			b := setup(t)
			b.hears()
			crashing := &crash{Mailbox: b.store, step: when, after: true, dead: make(chan struct{})}
			b.receive(b.voice(ana, "uno"))
			stop := b.run(b.newWorker(func(c *dialogue.Config) { c.Mailbox = crashing; c.Lease = time.Hour }))
			<-crashing.dead
			stop()
			b.exec(`update turns set lease_until = now() - interval '1 second'`)
			b.run(b.newWorker())
			b.quiet()
			require.Equal(t, []string{"respuesta a: uno"}, b.channels.Texts())
			require.Len(t, b.rag.Heard(), 1, when)
		}
	})

	t.Run("LostLeaseStoresNoTranscript", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hearing, release := make(chan struct{}, 1), make(chan struct{})
		b.rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) {
			hearing <- struct{}{}
			<-release
			return "tarde", nil
		})
		stop := b.run(b.newWorker(func(c *dialogue.Config) { c.Lease = time.Hour }))
		b.receive(b.voice(ana, "uno"))
		<-hearing
		b.exec(`update turns set lease_token = gen_random_uuid(), lease_until = now() + interval '1 hour'`)
		close(release)
		stop()
		require.Zero(t, b.count("messages where transcript is not null"))
		require.Zero(t, b.count("messages where role = 'assistant'"))
	})

	t.Run("StopEndsTheTranscriptionAndHandsTheTurnBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hearing, ended := make(chan struct{}, 1), make(chan struct{}, 1)
		b.rag.OnTranscribe(func(ctx context.Context, _ ragtest.Heard) (string, error) {
			hearing <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
			return "", ctx.Err()
		})
		stop := b.run(b.worker)
		b.receive(b.voice(ana, "uno"))
		<-hearing
		stop()
		<-ended
		require.Equal(t, 1, b.count("turns where lease_token is null and crashes = 0 and attempt = 0"))
	})

	t.Run("TypingGoesOnWhileListening", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *dialogue.Config) { c.Typing = 10 * time.Millisecond })
		release := make(chan struct{})
		b.rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) { <-release; return "hola", nil })
		b.run(b.worker)
		b.receive(of(b.telegram(7, ""), func(m *conversation.InboundMessage) {
			m.Kind, m.Media = conversation.KindVoice, &conversation.Media{ID: "v"}
		}))
		for range 4 {
			require.Equal(t, "typing", <-b.channels.Seen)
		}
		close(release)
		b.quiet()
	})

	t.Run("WithoutTranscriberTheCustomerIsAskedToWrite", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(b.worker)
		b.receive(b.voice(ana, "uno"))
		b.quiet()
		require.Equal(t, []string{conversation.SentenceVoice.In("es")}, b.channels.Texts())
		require.Empty(t, b.rag.Heard())
		require.Empty(t, b.channels.Read())
		require.Equal(t, 1, b.count("messages where transcript is null and role = 'customer'"))
	})

	t.Run("SilenceAsksForWordsAndIsNotPaidTwice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) { return " \x00\n", nil })
		b.channels.OnSend(failing(1, unavailable()))
		b.run(b.worker)
		b.receive(b.voice(ana, "uno"))
		b.eventually(func() bool { return b.count("turns where attempt = 1") == 1 }, "failed once")
		b.hurry()
		b.quiet()
		require.Equal(t, []string{conversation.SentenceInaudible.In("es")}, b.channels.Texts())
		require.Len(t, b.rag.Heard(), 1)
		require.Empty(t, b.rag.Asked())
	})

	for name, c := range map[string]struct {
		fetch, hear error
	}{
		"GoneFile":         {fetch: fault.New(fault.Precondition, "MEDIA_GONE", "gone")},
		"LargeFile":        {fetch: fault.New(fault.Precondition, "MEDIA_TOO_LARGE", "large")},
		"CorruptFile":      {fetch: fault.New(fault.Precondition, "MEDIA_CORRUPT", "corrupt")},
		"RefusedRecording": {hear: fault.New(fault.Invalid, "AUDIO_REFUSED", "no")},
		"TranscriberGone":  {hear: fault.New(fault.Precondition, "TRANSCRIPTION_OFF", "off")},
	} {
		t.Run(name+"AsksForWords", func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) { return "", c.hear })
			b.channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error { return c.fetch })
			b.run(b.worker)
			b.receive(b.voice(ana, "uno"), b.says(ana, "¿abren hoy?"))
			b.quiet()
			require.Equal(t, []string{"respuesta a: ¿abren hoy?\n\n" + conversation.SentenceVoice.In("es")}, b.channels.Texts())
		})
	}

	t.Run("FileThatWasLostFromTheStoreAsksForWords", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hears()
		b.receive(b.voice(ana, "uno"))
		b.exec(`update messages set media_id = 'lost'`)
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceVoice.In("es")}, b.channels.Texts())
		require.Equal(t, []string{"lost"}, b.channels.Read())
	})

	t.Run("FileThatTheQueueGaveUpAsksForWords", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hears()
		b.receive(b.voice(ana, "uno"))
		b.exec(`update messages set media_error = 'MEDIA_GONE'`)
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceVoice.In("es")}, b.channels.Texts())
		require.Empty(t, b.channels.Fetched())
	})

	for name, failure := range map[string]func(*bundle, error){
		"Fetch": func(b *bundle, err error) {
			b.channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error { return err })
		},
		"Transcriber": func(b *bundle, err error) {
			b.rag.OnTranscribe(func(_ context.Context, h ragtest.Heard) (string, error) { return h.Recording, err })
		},
	} {
		t.Run(name+"ThatFailsForNowIsTriedAgain", func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.hears()
			failure(b, fault.New(fault.Unavailable, "PROVIDER_UNAVAILABLE", "try again"))
			b.run(b.worker)
			b.receive(b.voice(ana, "uno"))
			b.eventually(func() bool { return b.count("turns where attempt = 1 and last_error = 'PROVIDER_UNAVAILABLE'") == 1 }, "failed")
			require.Empty(t, b.rag.Asked())
			failure(b, nil)
			b.hurry()
			b.quiet()
			require.Equal(t, []string{"respuesta a: uno"}, b.channels.Texts())
		})
	}

	t.Run("BusyTranscriberOnlyMovesTheTurn", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) {
			return "", fault.New(fault.Throttled, "TRANSCRIBER_BUSY", "busy").WithRetryAfter(time.Hour)
		})
		b.run(b.worker)
		b.receive(b.voice(ana, "uno"))
		b.eventually(func() bool {
			return b.count("turns where attempt = 0 and due_at > now() + interval '50 minutes' and lease_token is null") == 1
		}, "postponed")
	})

	t.Run("OneOfSeveralThatFailsDoesNotHaveTheOthersHeardAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.joins()
		broken := make(chan struct{}, 1)
		broken <- struct{}{}
		b.rag.OnTranscribe(func(_ context.Context, h ragtest.Heard) (string, error) {
			select {
			case <-broken:
				if h.Recording == "dos" {
					return "", errors.New("broken")
				}
				broken <- struct{}{}
			default:
			}
			return h.Recording, nil
		})
		b.receive(b.voice(ana, "uno"), b.voice(ana, "dos"))
		b.run(b.worker)
		b.eventually(func() bool { return b.count("turns where attempt = 1") == 1 }, "failed once")
		b.hurry()
		b.quiet()
		require.Equal(t, []string{"uno|dos"}, b.channels.Texts())
		var heard []string
		for _, h := range b.rag.Heard() {
			heard = append(heard, h.Recording)
		}
		require.Equal(t, []string{"uno", "dos", "dos"}, heard)
	})
}
