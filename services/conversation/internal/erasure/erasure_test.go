package erasure_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

var (
	ana = person{id: "CO.anacanary", phone: "573001234567", name: "Ana Canary"}
	eva = person{id: "CO.eva", phone: "573009999999", name: "Eva"}
)

func photo(a *conversation.Arrival) {
	a.Message.Kind, a.Message.Media = conversation.KindImage, &conversation.Media{ID: "canary-media", Filename: "canary.jpg"}
}

func TestErasure(t *testing.T) {
	t.Parallel()

	t.Run("NothingOfTheCustomerIsFoundAfterwards", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hear(ana, "canary text of before", func(a *conversation.Arrival) {
			a.Message.Sender.UserID, a.Message.Address.UserID = "", ""
		})
		b.answer("canary answer")
		b.hear(eva, "lo de Eva")
		b.answer("respuesta")
		photoLog := b.hear(ana, "canary caption", photo)
		b.exec(`update messages set media_id = '0b000000-0000-4000-8000-000000000001', transcript = 'canary transcript' where details is not null`)
		one, first := b.says(ana, "canary shared")
		two, second := b.says(eva, "lo otro de Eva")
		shared := b.receive(`{"entry":[`+first+`,`+second+`]}`, one, two)
		b.receive(`{"statuses":[{"id":"wamid.canary","recipient_id":"`+ana.phone+`","errors":[{"title":"canary refused"}]}]}`, conversation.Arrival{
			Event: conversation.Event{Key: "status:1", Integration: number, Kind: "status", Content: &conversation.DeliveryReport{
				MessageID: "wamid.CO.anacanary.1", ErrorMessage: "canary to " + ana.phone,
			}}, Integration: one.Integration,
		})
		b.receive(`{"later":[`+first+`]}`, one) // packed anew: a repeat in other bytes
		b.exec(`insert into former_ids (integration_id, external_id, user_id) values ($1, 'CO.canaryformer', $2)`, number, b.user(ana.name))
		b.exec(`update messages set feedback = 1 where role = 'assistant'`)
		keys := b.count("inbound_keys")
		before := b.dump()
		for _, canary := range []string{"canary", ana.phone, "Ana"} {
			require.Contains(t, before, canary)
		}

		user := b.user(ana.name)
		b.erase(user)
		_, err := b.store.User(t.Context(), user)
		require.ErrorIs(t, err, conversation.ErrNotFound, "hidden at once")
		b.run()
		e := b.done(user)
		require.Zero(t, e.Failures)

		after := b.dump()
		for _, canary := range []string{"canary", ana.phone, "Ana", ana.id} {
			require.NotContains(t, after, canary)
		}
		for _, others := range []string{"lo de Eva", "lo otro de Eva", eva.phone, eva.id} {
			require.Contains(t, after, others)
		}
		require.Equal(t, keys, b.count("inbound_keys"), "repeats are told for as long as before")
		require.Equal(t, 6, b.count("webhook_logs"), "the log stays")
		require.Zero(t, b.count("webhook_events e join webhook_logs l on l.id = e.log_id where l.id = $1 and e.outcome <> 'erased'", photoLog))
		require.Zero(t, b.count("webhook_events where processed_time is null and log_id <> $1", shared))
		var media, providerMedia, addresses int
		for _, r := range b.channels.Forgotten() {
			media, providerMedia, addresses = media+len(r.GetMediaIds()), providerMedia+len(r.GetProviderMediaIds()), addresses+len(r.GetAddresses())
		}
		require.Equal(t, []int{1, 1, 3}, []int{media, providerMedia, addresses})
		require.Len(t, b.rag.Forgotten()[0].GetRequestIds(), 1)
		require.Equal(t, string(user), b.rag.Forgotten()[0].GetCustomerKey())

		log := b.receive(first, one)
		l, err := b.store.Log(t.Context(), log)
		require.NoError(t, err)
		require.Equal(t, conversation.OutcomeDuplicate, l.Events[0].Outcome, "a late repeat brings nobody back")
		b.receive(`{"again":[`+first+`]}`, one)
		require.NotContains(t, b.dump(), "canary")
		require.Zero(t, b.count("users where display_name = $1", ana.name))
		b.hear(ana, "hola de nuevo")
		require.NotEqual(t, user, b.user(ana.name), "who writes again is somebody new")
		require.Len(t, b.claim(), 2, "and is answered, as Eva is")
	})

	t.Run("LateReportsAreKeptWithoutTheirBody", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hear(ana, "hola")
		b.answer("respuesta")
		var first, part string
		require.NoError(t, b.pool.QueryRow(t.Context(), `select platform_message_id from messages where role = 'assistant'`).Scan(&first))
		require.NoError(t, b.pool.QueryRow(t.Context(), `select platform_message_id from message_parts`).Scan(&part))
		user := b.user(ana.name)
		b.erase(user)
		b.run()
		b.done(user)
		report := func(key, message string) conversation.Arrival {
			return conversation.Arrival{
				Event: conversation.Event{Key: "status:" + key, Integration: number, Kind: "status", Content: &conversation.DeliveryReport{
					MessageID: message, State: conversation.DeliveryRead,
				}}, Integration: conversation.DefaultIntegration(number, conversation.WhatsApp),
			}
		}
		theirs := `{"statuses":[{"id":"wamid","recipient_id":"` + ana.phone + `"}]}`
		b.receive(theirs, report("1", first))
		b.receive(theirs+" ", report("2", part))
		b.receive(`{"statuses":[{"recipient_id":"`+eva.phone+`"}]}`, report("3", "wamid.unknown"))
		reports, err := b.store.OldestReports(t.Context(), number, 10)
		require.NoError(t, err)
		require.Len(t, reports, 3)
		require.NoError(t, b.store.SettleReports(t.Context(), reports, make([]conversation.ReportOutcome, 3), nil))
		require.NotContains(t, b.dump(), ana.phone)
		require.Contains(t, b.dump(), eva.phone)
	})

	t.Run("InAGroupOthersStay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ana, eva := person{id: "71234567", name: "Ana", username: "ana_canary", group: -100}, person{id: "81234567", name: "Eva", username: "eva", group: -100}
		private := ana
		private.group = 0
		b.hear(private, "canary in private")
		b.answer("canary answer in private")
		b.hear(ana, "canary in the group")
		b.answer("canary answer in the group")
		b.hear(eva, "lo de Eva", func(a *conversation.Arrival) {
			a.Message.ReplyToMessageID, a.Message.QuotedText = "2", "canary in the group"
		})
		b.answer("respuesta a Eva")
		b.hear(ana, "canary that waits")
		user := b.user("Ana")
		b.erase(user)
		b.run()
		b.done(user)
		after := b.dump()
		for _, canary := range []string{"canary", "Ana", "71234567"} {
			require.NotContains(t, after, canary)
		}
		require.Contains(t, after, "lo de Eva")
		require.Contains(t, after, "respuesta a Eva")
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("conversations"))
	})

	t.Run("WhatWaitsIsNotAnsweredAnyMore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hear(ana, "¿abren hoy?")
		b.erase(b.user(ana.name))
		require.Empty(t, b.claim())
	})

	t.Run("AnAnswerUnderWayIsWaitedForAndStoresNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hear(ana, "¿abren hoy?")
		turn := b.claim()[0]
		user := b.user(ana.name)
		b.erase(user)
		_, err := b.store.Checkpoint(t.Context(), turn, conversation.Draft{Text: "canary", Seen: turn.Seq, Through: turn.Seq})
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		eraser, _ := b.run()
		require.Eventually(t, func() bool { return b.count("erasures where due_at > now()") == 1 }, patience, beat, "put off, no failure")
		require.Empty(t, b.channels.Forgotten())
		b.exec(`update turns set lease_until = now() - interval '1 second'`)
		b.exec(`update erasures set due_at = now()`)
		eraser.Wake()
		require.Zero(t, b.done(user).Failures)
		require.Zero(t, b.count("turns"))
	})

	t.Run("EndsOnlyWhenAllServicesHaveConfirmed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hear(ana, "canary")
		b.answer("canary answer")
		var away atomic.Bool
		away.Store(true)
		b.channels.OnForget(func(*channelsv1.ForgetRequest) error {
			if away.Load() {
				return fault.New(fault.Unavailable, "MEDIA_STORE_UNAVAILABLE", "the store of media files failed")
			}
			return nil
		})
		var confirmed atomic.Bool
		b.rag.OnForget(func(*ragv1.ForgetRequest) error {
			if !confirmed.Load() {
				return fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "the database is away")
			}
			return nil
		})
		user := b.user(ana.name)
		b.erase(user)
		eraser, _ := b.run()
		failed := func(reason string) {
			require.Eventually(t, func() bool {
				e, err := b.store.Erasure(t.Context(), user)
				return err == nil && e.Error == reason && e.DoneTime == nil && e.Failures > 0
			}, patience, beat, reason)
			require.NotZero(t, b.count("messages"), "what others still keep is still known")
			b.exec(`update erasures set due_at = now() where lease_token is null`)
			eraser.Wake()
		}
		failed("MEDIA_STORE_UNAVAILABLE")
		away.Store(false)
		failed("DATABASE_UNAVAILABLE")
		confirmed.Store(true)
		require.Eventually(t, func() bool {
			b.exec(`update erasures set due_at = now() where lease_token is null and done_time is null`)
			e, err := b.store.Erasure(t.Context(), user)
			return err == nil && e.DoneTime != nil && e.Error == ""
		}, patience, beat)
		require.NotContains(t, b.dump(), "canary")
	})

	t.Run("GoesOnAfterAKill", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for range 150 { // more than one batch
			b.hear(ana, "canary")
		}
		b.answer("canary answer")
		user := b.user(ana.name)
		b.erase(user)
		dead, err := b.store.ClaimErasure(t.Context(), conversation.ServiceWindow)
		require.NoError(t, err)
		traces, err := b.store.ErasureTraces(t.Context(), dead)
		require.NoError(t, err)
		require.NoError(t, b.store.EraseMessages(t.Context(), dead, traces.Messages))
		left := b.count("messages")
		require.Positive(t, left)
		b.exec(`update erasures set lease_until = now() - interval '1 second'`)
		b.run()
		b.done(user)
		require.NotContains(t, b.dump(), "canary")
		require.ErrorIs(t, b.store.EraseMessages(t.Context(), dead, traces.Messages), conversation.ErrLeaseLost)
		_, err = b.store.FinishErasure(t.Context(), dead)
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
	})

	t.Run("AskedForAgainIsTheSame", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.hear(ana, "hola")
		user := b.user(ana.name)
		b.erase(user)
		b.erase(user)
		require.Equal(t, 1, b.count("erasures"))
		b.run()
		done := b.done(user)
		again, err := b.store.EraseUser(t.Context(), user)
		require.NoError(t, err)
		require.Equal(t, done, again)
		_, err = b.store.EraseUser(t.Context(), "00000000-0000-4000-8000-000000000009")
		require.ErrorIs(t, err, conversation.ErrNotFound)
	})
}
