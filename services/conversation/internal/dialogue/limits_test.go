package dialogue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	hourly := func(n int32) func(*conversation.Integration) {
		return func(in *conversation.Integration) { in.HourlyLimit = &n }
	}

	t.Run("WhoAsksTooMuchIsToldOnceAndTheRestIsRecordedWithoutAModel", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.set(number, hourly(2))
		b.run(b.worker)
		const phone, other = "573001112233", "573004445566"
		for n := range 2 {
			b.outcome(b.receive(b.says(phone, fmt.Sprint("pregunta ", n))), conversation.OutcomeAnswered)
		}
		b.outcome(b.receive(b.says(phone, "una de más")), conversation.OutcomeAnswered)
		require.Equal(t, conversation.SentenceLimit.In("es"), b.channels.Texts()[2])
		voice := b.receive(of(b.says(phone, ""), func(m *conversation.InboundMessage) {
			m.Kind, m.Media = conversation.KindVoice, &conversation.Media{ID: "nota", MIMEType: "audio/ogg"}
		}))
		b.outcome(voice, conversation.OutcomeLimited)
		b.quiet()
		require.Len(t, b.channels.Texts(), 3, "told once")
		require.Len(t, b.rag.Asked(), 2)
		require.Empty(t, b.channels.Read(), "not even listened to")

		b.outcome(b.receive(b.says(other, "¿y yo?")), conversation.OutcomeAnswered)
		require.Len(t, b.rag.Asked(), 3, "others are answered")

		b.exec(`update messages set create_time = create_time - interval '61 minutes'`)
		b.outcome(b.receive(b.says(phone, "una hora después")), conversation.OutcomeAnswered)
		require.Equal(t, "respuesta a: una hora después", b.channels.Texts()[4], "nobody is locked out")
		require.NotContains(t, fmt.Sprint(b.rag.Asked()[3].GetTurns()), "nota")
	})

	t.Run("AnAttemptThatFailedTellsOnceToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.set(number, hourly(1))
		r := b.receive(b.says("573001112233", "uno"), b.says("573001112233", "dos"), b.says("573001112233", "tres"))
		var sends atomic.Int32
		b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error {
			if sends.Add(1) == 1 {
				return fault.New(fault.Unavailable, "PROVIDER_UNAVAILABLE", "the provider failed")
			}
			return nil
		})
		b.run(b.worker)
		b.eventually(func() bool { b.hurry(); return b.count("turns") == 0 }, "turns are left")
		require.Equal(t, []string{"respuesta a: uno\n\n" + conversation.SentenceLimit.In("es")}, b.channels.Texts())
		l, err := b.store.Log(t.Context(), r.Log)
		require.NoError(t, err)
		var outcomes []conversation.Outcome
		for _, e := range l.Events {
			outcomes = append(outcomes, e.Outcome)
		}
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered, conversation.OutcomeAnswered, conversation.OutcomeLimited}, outcomes)
	})

	t.Run("NoLimitNeverHoldsAnybody", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(b.worker)
		for n := range 12 {
			b.outcome(b.receive(b.says("573001112233", fmt.Sprint("pregunta ", n))), conversation.OutcomeAnswered)
		}
		require.Len(t, b.rag.Asked(), 12)
	})
}
