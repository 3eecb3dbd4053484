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

func TestWorker(t *testing.T) {
	t.Parallel()

	t.Run("QuestionIsAnsweredOnBothPlatforms", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(b.worker)
		asked := time.Now()
		r := b.receive(b.says("573001234567", "¿A qué hora abren?"))
		b.receive(b.telegram(7, "¿Hacen envíos?"))
		b.quiet()
		require.ElementsMatch(t, []string{"respuesta a: ¿A qué hora abren?", "respuesta a: ¿Hacen envíos?"}, b.channels.Texts())
		e := b.outcome(r, conversation.OutcomeAnswered)
		for _, s := range b.channels.Sent() {
			require.Empty(t, s.GetReplyToMessageId(), "no quote in private")
			if s.GetAddress().GetIntegrationId() == string(bot) {
				require.EqualValues(t, 7, s.GetAddress().GetChat().GetId())
				require.Nil(t, s.GetServiceWindowExpireTime(), "Telegram has no window")
				continue
			}
			require.Equal(t, s.GetRequestId(), e.Response)
			require.Equal(t, "573001234567", s.GetAddress().GetUser().GetPhoneNumber())
			require.WithinDuration(t, asked.Add(24*time.Hour), s.GetServiceWindowExpireTime().AsTime(), time.Minute)
		}
	})

	t.Run("AnswererGetsHistoryAndAllOpenMessagesUnchanged", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.set(number, func(in *conversation.Integration) {
			in.KnowledgeBase, in.HumanContact, in.Passages = "tienda", "+57 1", 7
		})
		b.receive(b.says("573001234567", "hola"))
		stop := b.run(b.worker)
		b.quiet()
		stop()
		b.receive(b.says("573001234567", "  ¿cuánto   cuesta?\n"), b.says("573001234567", "¿y el envío?"))
		b.receive(b.says("573009999999", "de otra persona"))
		b.run(b.newWorker())
		b.quiet()
		var q *ragv1.GenerateAnswerRequest
		for _, asked := range b.rag.Asked() {
			if asked.GetOpenTurns() == 2 {
				q = asked
			}
		}
		require.NotNil(t, q)
		var texts []string
		for _, turn := range q.GetTurns() {
			texts = append(texts, turn.GetText())
		}
		require.Equal(t, []string{"hola", "respuesta a: hola", "  ¿cuánto   cuesta?\n", "¿y el envío?"}, texts)
		require.Equal(t, ragv1.Turn_ROLE_ASSISTANT, q.GetTurns()[1].GetRole())
		require.Equal(t, "tienda", q.GetKnowledgeBase())
		require.Equal(t, "+57 1", q.GetHumanContact())
		require.EqualValues(t, 7, q.GetTopK())
		require.True(t, q.GetRagEnabled())
		require.NotContains(t, q.GetCustomerKey(), "573001234567")
		require.Len(t, q.GetCustomerKey(), 36)
	})

	t.Run("NoTransactionIsOpenWhileAnAnswerIsComposed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		open := make(chan int, 1)
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) {
			open <- b.count(`pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`)
			return "ya", nil
		})
		b.run(b.worker)
		b.receive(b.says("573001234567", "hola"))
		require.Zero(t, <-open)
		b.quiet()
	})

	t.Run("WhatHoldsNothingToReadGetsAKindSentenceWithoutAsking", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(b.worker)
		kinds := []conversation.MessageKind{
			conversation.KindVoice, conversation.KindAudio, conversation.KindImage, conversation.KindSticker, conversation.KindVideo,
			conversation.KindDocument, conversation.KindUnsupported, "",
		}
		for i, kind := range kinds {
			b.receive(of(b.says(fmt.Sprintf("5730000000%02d", i), ""), func(m *conversation.InboundMessage) { m.Kind = kind }))
		}
		b.quiet()
		require.Len(t, b.channels.Texts(), len(kinds))
		require.Empty(t, b.rag.Asked())
	})

	t.Run("StartGetsAGreetingInTheCustomersLanguage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(b.worker)
		b.receive(of(b.telegram(7, "/start"), func(m *conversation.InboundMessage) {
			m.Kind, m.Command, m.Sender.LanguageCode = conversation.KindCommand, "start", "en-GB"
		}))
		b.quiet()
		require.Equal(t, []string{conversation.SentenceGreeting.In("en")}, b.channels.Texts())
	})

	t.Run("VoiceBesideAQuestionIsMentionedAfterTheAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		voice := of(b.says("573001234567", ""), func(m *conversation.InboundMessage) { m.Kind = conversation.KindVoice })
		b.receive(voice, b.says("573001234567", "¿abren hoy?"))
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{"respuesta a: ¿abren hoy?\n\n" + conversation.SentenceVoice.In("es")}, b.channels.Texts())
	})

	t.Run("GroupAnswersQuoteTheQuestionAndKnowNothingOfPrivateChats", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(b.worker)
		b.receive(b.telegram(7, "en privado"))
		b.quiet()
		group := of(b.telegram(7, "@bot en el grupo"), func(m *conversation.InboundMessage) {
			m.Group, m.Address.Chat = true, &conversation.Chat{ID: -100}
		})
		b.receive(group)
		b.quiet()
		sent := b.channels.Sent()
		require.EqualValues(t, -100, sent[1].GetAddress().GetChat().GetId())
		require.Equal(t, group.Content.(*conversation.InboundMessage).MessageID, sent[1].GetReplyToMessageId())
		require.Len(t, b.rag.Asked()[1].GetTurns(), 1)
	})

	t.Run("TypingIsShownAgainWhileComposing", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *dialogue.Config) { c.Typing = 10 * time.Millisecond })
		release := make(chan struct{})
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) { <-release; return "ya", nil })
		b.run(b.worker)
		b.receive(b.telegram(7, "hola"))
		for range 4 {
			require.Equal(t, "typing", <-b.channels.Seen)
		}
		close(release)
		b.quiet()
	})

	t.Run("DisabledIntegrationsTurnsWaitWithoutAttempts", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("573001234567", "hola"))
		b.set(number, func(in *conversation.Integration) { in.State = conversation.Stopped })
		b.run(b.worker)
		b.receive(b.telegram(7, "hola"))
		b.eventually(func() bool { return len(b.channels.Sent()) == 1 }, "the other integration goes on")
		require.Equal(t, 1, b.count("turns where integration_id = $1 and attempt = 0 and crashes = 0", string(number)))
		b.set(number, func(in *conversation.Integration) { in.State = conversation.Enabled })
		b.quiet()
		require.Len(t, b.channels.Sent(), 2)
	})

	t.Run("StopHandsBackWhatIsComposedWithoutACrash", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		composing := make(chan struct{}, 1)
		b.rag.OnAnswer(func(ctx context.Context, _ *ragv1.GenerateAnswerRequest) (string, error) {
			composing <- struct{}{}
			<-ctx.Done()
			return "", ctx.Err()
		})
		stop := b.run(b.worker)
		b.receive(b.says("573001234567", "hola"))
		<-composing
		stop()
		require.Equal(t, 1, b.count("turns where lease_token is null and crashes = 0 and attempt = 0"))
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) { return "ya", nil })
		b.run(b.newWorker())
		b.quiet()
		require.Equal(t, []string{"ya"}, b.channels.Texts())
	})

	t.Run("StopSeesASendOut", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		sending, release := make(chan struct{}), make(chan struct{})
		b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error {
			close(sending)
			<-release
			return nil
		})
		stop := b.run(b.worker)
		r := b.receive(b.says("573001234567", "hola"))
		<-sending
		stopped := make(chan struct{})
		go func() { defer close(stopped); stop() }()
		close(release)
		<-stopped
		b.outcome(r, conversation.OutcomeAnswered)
	})

	t.Run("LostLeaseEndsComposing", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *dialogue.Config) { c.Lease = 60 * time.Millisecond })
		composing := make(chan struct{}, 2)
		b.rag.OnAnswer(func(ctx context.Context, _ *ragv1.GenerateAnswerRequest) (string, error) {
			composing <- struct{}{}
			<-ctx.Done()
			return "", ctx.Err()
		})
		b.run(b.worker)
		b.receive(b.says("573001234567", "hola"))
		<-composing
		b.exec(`update turns set lease_token = gen_random_uuid(), lease_until = now() + interval '1 hour'`)
		b.eventually(func() bool { return b.count("turns where attempt = 0 and lease_token is not null") == 1 }, "nothing is stored")
		require.Empty(t, b.channels.Sent())
	})

	t.Run("HeartbeatKeepsALongTurn", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *dialogue.Config) { c.Lease = 90 * time.Millisecond })
		release := make(chan struct{})
		b.rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) { <-release; return "ya", nil })
		b.run(b.worker)
		b.run(b.newWorker())
		b.receive(b.says("573001234567", "hola"))
		var token string
		get := func() string {
			var s *string
			require.NoError(t, b.pool.QueryRow(context.Background(), `select lease_token::text from turns`).Scan(&s))
			if s == nil {
				return ""
			}
			return *s
		}
		b.eventually(func() bool { token = get(); return token != "" }, "claimed")
		var before time.Time
		require.NoError(t, b.pool.QueryRow(t.Context(), `select lease_until + interval '200 milliseconds' from turns`).Scan(&before))
		b.eventually(func() bool { return b.count("turns where lease_until > $1", before) == 1 }, "prolonged")
		require.Equal(t, token, get(), "still the same holder")
		close(release)
		b.quiet()
		require.Len(t, b.rag.Asked(), 1)
	})

	t.Run("PanicIsARecordedFailure", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *dialogue.Config) { c.Answerer = panicking{} })
		b.run(b.worker)
		b.receive(b.says("573001234567", "veneno"))
		b.eventually(func() bool { return b.count("turns where attempt = 1 and last_error = 'PANIC'") == 1 }, "recorded")
	})

	t.Run("CrashedTurnRunsAloneAndIsBuriedAtTheLimit", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("573001234567", "veneno"))
		b.exec(`update turns set crashes = 9, lease_token = gen_random_uuid(), lease_until = now() - interval '1 second'`)
		b.run(b.worker)
		e := b.outcome(r, conversation.OutcomeDead)
		require.Equal(t, "CRASHED_REPEATEDLY", e.Error)
		b.quiet()
		require.Equal(t, []string{conversation.SentenceApology.In("es")}, b.channels.Texts())
		require.Empty(t, b.rag.Asked())
	})

	t.Run("BurstOfOneCustomerMakesNobodyWait", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *dialogue.Config) { c.Workers = 4 })
		release := make(chan struct{})
		b.rag.OnAnswer(func(_ context.Context, q *ragv1.GenerateAnswerRequest) (string, error) {
			if q.GetTurns()[len(q.GetTurns())-1].GetText() == "lenta" {
				<-release
			}
			return "ya", nil
		})
		b.run(b.worker)
		for i := range 12 {
			b.receive(b.says(fmt.Sprintf("5730000000%02d", i), "lenta"))
		}
		b.receive(b.telegram(7, "rápida"))
		b.eventually(func() bool { return len(b.channels.Sent()) == 1 }, "the other integration has slots of its own")
		close(release)
		b.quiet()
		require.Len(t, b.channels.Sent(), 13)
	})
}

type panicking struct{ conversation.Answerer }

func (panicking) Answer(context.Context, conversation.Question) (conversation.Composed, error) {
	panic("veneno")
}

func unavailable() error { return fault.New(fault.Unavailable, "PROVIDER_FAILED", "try again") }
