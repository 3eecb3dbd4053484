package postgres_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

func TestIngest(t *testing.T) {
	t.Parallel()

	t.Run("PayloadIsKeptOnceAndARepeatRefersToTheFirst", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.webhook(b.says("hola"))
		receipts, err := b.store.Ingest(t.Context(), []conversation.Delivery{first})
		require.NoError(t, err)
		require.False(t, receipts[0].Duplicate)
		repeat := b.webhook(first.Arrivals...)
		repeat.Payload = first.Payload
		receipts, err = b.store.Ingest(t.Context(), []conversation.Delivery{repeat})
		require.NoError(t, err)
		require.True(t, receipts[0].Duplicate)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeDuplicate}, receipts[0].Outcomes)
		require.Equal(t, 1, b.count("webhook_payloads"))
		require.Equal(t, 1, b.count("messages"))
		l, err := b.store.Log(t.Context(), repeat.Log)
		require.NoError(t, err)
		require.Equal(t, first.Log, l.DuplicateOf)
		require.Equal(t, first.Payload, l.Payload)
		require.False(t, l.ProcessedTime.IsZero())
	})

	t.Run("RepeatThatWasPackedAnewRefersToTheFirstToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		a := b.says("hola")
		first := b.receive(a)
		second := b.receive(a)
		require.True(t, second.Duplicate)
		l, err := b.store.Log(t.Context(), second.Log)
		require.NoError(t, err)
		require.Equal(t, first.Log, l.DuplicateOf)
	})

	t.Run("PayloadBytesAreKeptAsTheyCame", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		d := b.webhook(b.says("hola"))
		d.Payload = []byte("{\"a\":\"\x00\xff\"}")
		_, err := b.store.Ingest(t.Context(), []conversation.Delivery{d})
		require.NoError(t, err)
		l, err := b.store.Log(t.Context(), d.Log)
		require.NoError(t, err)
		require.Equal(t, d.Payload, l.Payload)
	})

	t.Run("FiftyRepeatsAtOnceMakeOneMessage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		a := b.says("hola")
		fresh := make(chan bool, 50)
		var posts sync.WaitGroup
		for range 50 {
			d := b.webhook(a)
			d.Payload = []byte("{}")
			posts.Go(func() {
				receipts, err := b.store.Ingest(t.Context(), []conversation.Delivery{d})
				if err == nil {
					fresh <- !receipts[0].Duplicate
				}
			})
		}
		posts.Wait()
		close(fresh)
		n, first := 0, 0
		for f := range fresh {
			n++
			if f {
				first++
			}
		}
		require.Equal(t, 50, n)
		require.Equal(t, 1, first)
		require.Equal(t, 1, b.count("messages"))
		require.Equal(t, 1, b.count("turns"))
		require.Equal(t, 1, b.count("users"))
		require.Equal(t, 50, b.count("webhook_logs"))
		require.Equal(t, 1, b.count("webhook_logs where duplicate_of is null"))
	})

	t.Run("RepeatsInOneGroupAreTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		a := b.says("hola")
		one, two := b.webhook(a), b.webhook(a)
		two.Payload = one.Payload
		receipts, err := b.store.Ingest(t.Context(), []conversation.Delivery{one, two})
		require.NoError(t, err)
		require.False(t, receipts[0].Duplicate)
		require.True(t, receipts[1].Duplicate)
		l, err := b.store.Log(t.Context(), two.Log)
		require.NoError(t, err)
		require.Equal(t, one.Log, l.DuplicateOf)
	})

	t.Run("ConcurrentGroupsOverTheSameCustomersLoseNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		var posts sync.WaitGroup
		failed := make(chan error, 20)
		for range 20 {
			var group []conversation.Delivery
			for c := range 10 {
				group = append(group, b.webhook(b.says("hola", from("", fmt.Sprintf("5730000000%02d", (c*7)%10)))))
			}
			posts.Go(func() {
				if _, err := b.store.Ingest(t.Context(), group); err != nil {
					failed <- err
				}
			})
		}
		posts.Wait()
		close(failed)
		for err := range failed {
			require.NoError(t, err)
		}
		require.Equal(t, 200, b.count("messages"))
		require.Equal(t, 10, b.count("users"))
		require.Equal(t, 10, b.count("conversations where last_position = 20"))
		require.Equal(t, 10, b.count("turns where seq = 20 and first_position = 1"))
	})

	t.Run("ThousandEventsInOneBody", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		var all []conversation.Arrival
		for i := range 1000 {
			all = append(all, b.says("hola", from("", fmt.Sprintf("57300000%04d", i%400))))
		}
		begin := time.Now()
		r := b.receive(all...)
		require.Less(t, time.Since(begin), 10*time.Second)
		require.Len(t, r.Outcomes, 1000)
		require.Equal(t, 400, r.Opened)
		require.Equal(t, 1000, b.count("messages where state = 'open'"))
		require.Equal(t, 400, b.count("conversations"))
		require.Equal(t, 1000, b.count("webhook_events"))
	})

	t.Run("OldMessagesAreStaleByTheDatabasesClock", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("vieja", at(time.Now().Add(-25*time.Hour))), b.says("nueva", at(time.Now().Add(-23*time.Hour))))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeStale, conversation.OutcomeOpen}, r.Outcomes)
		turn := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		require.Len(t, d.Open, 1)
		require.Equal(t, "nueva", d.Open[0].Text)
		require.Equal(t, conversation.MessageRecorded, b.messages(turn.Conversation)[0].State)
	})

	t.Run("DecidedOutcomesMakeNoMessage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ignored, foreign := b.says("hola"), b.says("hola")
		ignored.Outcome, ignored.Message = conversation.OutcomeIgnored, nil
		foreign.ForeignNumber, foreign.Event.Integration, foreign.Message = "1065", "", nil
		foreign.Outcome = conversation.OutcomeForeignNumber
		r := b.receive(ignored, foreign, b.says("hola"))
		require.Equal(t, []conversation.Outcome{
			conversation.OutcomeIgnored, conversation.OutcomeForeignNumber, conversation.OutcomeOpen,
		}, r.Outcomes)
		require.Equal(t, 1, b.count("messages"))
		require.Equal(t, 2, b.count("inbound_keys"), "a foreign number's events are not ours to remember")
	})

	t.Run("SenderWithoutIdIsRecorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("hola", from("", "")))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, r.Outcomes)
		require.Zero(t, b.count("messages"))
	})

	t.Run("ContentThatPostgresRefusesIsToldFromAnOutage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.store.Ingest(t.Context(), []conversation.Delivery{b.webhook(b.says("nul\x00"))})
		require.ErrorIs(t, err, conversation.ErrRefused)
		b.pool.Close()
		_, err = b.store.Ingest(t.Context(), []conversation.Delivery{b.webhook(b.says("hola"))})
		require.NotErrorIs(t, err, conversation.ErrRefused)
		require.True(t, fault.IsKind(err, fault.Unavailable), "%v", err)
	})

	t.Run("NothingIsStoredOfAFailedGroup", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.store.Ingest(t.Context(), []conversation.Delivery{b.webhook(b.says("bien")), b.webhook(b.says("nul\x00"))})
		require.Error(t, err)
		for _, table := range []string{"webhook_logs", "webhook_payloads", "webhook_events", "inbound_keys", "users", "messages", "turns"} {
			require.Zero(t, b.count(table), table)
		}
	})

	t.Run("MegabyteOfTextIsStoredAsItIs", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		text := strings.Repeat("ñandú ", 150_000)
		b.receive(b.says(text))
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Equal(t, text, d.Open[0].Text)
	})

	t.Run("KeysAreSeparateBetweenIntegrations", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("uno", keyed("msg:1")), b.says("dos", keyed("msg:1"), of("wa-2")))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen, conversation.OutcomeOpen}, r.Outcomes)
	})
}
