package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func fresh(i channels.Integration, requestID string) channels.Delivery {
	return channels.Delivery{
		RequestID: requestID, IntegrationID: i.ID, Platform: i.Platform, Fingerprint: []byte("f"),
		Parts: []channels.DeliveryPart{{
			Content: channels.Part{
				Text: "hola", Plain: "hola", Buttons: [][]channels.Button{{{ID: "b", Title: "Sí"}}},
				Attachment: channels.Attachment{Media: &channels.Media{Kind: channels.MediaDocument, ID: "f", Filename: "a.pdf"}},
			},
			Progress: channels.Progress{Phase: channels.PhasePending},
		}},
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()

	t.Run("WhatWasStoredComesBack", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		d := fresh(b.WhatsApp(t), "r1")
		var stored channels.Delivery
		require.NoError(t, b.Store.Open(t.Context(), d, func(d *channels.Delivery, now time.Time) bool {
			d.Lease = channels.Lease{Token: "a", Until: now.Add(time.Minute)}
			d.Parts[0].Progress = channels.Progress{
				Phase: channels.PhaseSending, Try: 2, TryTime: now, Doubts: 1, MessageID: "wamid.1", State: channels.DeliverySent, ErrorCode: 5, ErrorMessage: "e",
				Pricing: channels.Pricing{Billable: true, Model: "PMP", Type: "regular", Category: "service"},
			}
			stored = *d
			return true
		}))
		found, err := b.Store.Delivery(t.Context(), "r1")
		require.NoError(t, err)
		require.Equal(t, stored, found)
		requestID, step, err := b.Store.FindMessage(t.Context(), d.IntegrationID, "wamid.1")
		require.NoError(t, err)
		require.Equal(t, "r1", requestID)
		require.Equal(t, channels.Step{Try: 2}, step)
		_, _, err = b.Store.FindMessage(t.Context(), d.IntegrationID, "")
		require.ErrorIs(t, err, channels.ErrNotFound)
	})

	t.Run("NothingIsKeptWhenTheStepSaysSo", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		d := fresh(b.WhatsApp(t), "r1")
		require.NoError(t, b.Store.Open(t.Context(), d, func(*channels.Delivery, time.Time) bool { return false }))
		_, err := b.Store.Delivery(t.Context(), "r1")
		require.ErrorIs(t, err, channels.ErrNotFound)
		require.ErrorIs(t, b.Store.Step(t.Context(), "r1", nil), channels.ErrNotFound)
	})

	t.Run("ContentOfASettledPartIsGone", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		require.NoError(t, b.Store.Open(t.Context(), fresh(b.WhatsApp(t), "r1"), func(d *channels.Delivery, _ time.Time) bool {
			d.Sent(channels.Step{}, "wamid.1")
			return true
		}))
		var left int
		require.NoError(t, b.Pool.QueryRow(t.Context(), `select count(*) from delivery_parts where content is not null`).Scan(&left))
		require.Zero(t, left)
	})

	t.Run("EveryAttachmentComesBack", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.WhatsApp(t)
		for name, a := range map[string]channels.Attachment{
			"file":     {Media: &channels.Media{Kind: channels.MediaVoice, URL: "https://example.com/a.ogg"}},
			"list":     {List: &channels.List{ButtonTitle: "Ver", Sections: []channels.ListSection{{Title: "T", Rows: []channels.ListRow{{ID: "a", Title: "A", Description: "d"}}}}}},
			"reaction": {Reaction: &channels.Reaction{MessageID: "wamid.1", Emoji: "👍"}},
			"removal":  {Reaction: &channels.Reaction{MessageID: "wamid.1"}},
			"contact":  {ContactRequest: &channels.ContactRequest{}},
		} {
			d := fresh(i, name)
			d.Parts[0].Content = channels.Part{Attachment: a}
			require.NoError(t, b.Store.Open(t.Context(), d, func(*channels.Delivery, time.Time) bool { return true }))
			found, err := b.Store.Delivery(t.Context(), name)
			require.NoError(t, err)
			require.Equal(t, channels.Part{Attachment: a}, found.Parts[0].Content, name)
		}
	})

	t.Run("RowsFromBeforeAttachmentsAreRead", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.WhatsApp(t)
		b.Exec(t, `insert into deliveries (request_id, integration_id, platform, fingerprint, template)
			values ('old', $1, 'whatsapp', '\x66', '{"Name": "bienvenida", "Language": "es", "BodyParameters": ["Ana"]}')`, i.ID)
		b.Exec(t, `insert into delivery_parts (request_id, ordinal, content, phase, try, doubts, message_id, state, error_code, error_message)
			values ('old', 0, '{"text": "*hola*", "plain": "hola", "buttons": [[{"id": "b", "title": "Sí"}]]}', 'pending', 1, 0, '', 0, 0, '')`)
		found, err := b.Store.Delivery(t.Context(), "old")
		require.NoError(t, err)
		require.Equal(t, &channels.Template{Name: "bienvenida", Language: "es", BodyParameters: []string{"Ana"}}, found.Template)
		require.Equal(t, channels.DeliveryPart{
			Content:  channels.Part{Text: "*hola*", Plain: "hola", Buttons: [][]channels.Button{{{ID: "b", Title: "Sí"}}}},
			Progress: channels.Progress{Phase: channels.PhasePending, Try: 1},
		}, found.Parts[0])
	})

	t.Run("OldOnesArePruned", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.WhatsApp(t)
		keep := func(*channels.Delivery, time.Time) bool { return true }
		require.NoError(t, b.Store.Open(t.Context(), fresh(i, "old"), keep))
		b.Exec(t, `update deliveries set create_time = now() - interval '31 days'`)
		require.NoError(t, b.Store.Open(t.Context(), fresh(i, "new"), keep))
		pruned, err := b.Store.PruneDeliveries(t.Context(), 30*24*time.Hour, 10)
		require.NoError(t, err)
		require.Equal(t, int64(1), pruned)
		_, err = b.Store.Delivery(t.Context(), "new")
		require.NoError(t, err)
	})

	t.Run("StepsOfOneDeliveryTakeTurns", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		d := fresh(b.WhatsApp(t), "r1")
		var callers errgroup.Group
		for range 20 {
			callers.Go(func() error {
				return b.Store.Open(context.Background(), d, func(d *channels.Delivery, _ time.Time) bool {
					d.Parts[0].Try++
					return true
				})
			})
		}
		require.NoError(t, callers.Wait())
		found, err := b.Store.Delivery(t.Context(), "r1")
		require.NoError(t, err)
		require.Equal(t, 20, found.Parts[0].Try)
	})
}

func TestPauses(t *testing.T) {
	t.Parallel()
	b := channelstest.New(t)
	i := b.WhatsApp(t)
	left := func(recipient string) time.Duration {
		place, err := b.Store.TakePlace(t.Context(), channels.PlaceRequest{
			IntegrationID: i.ID, Quotas: []channels.Quota{own(recipient, 0, 1)}, PausedFor: []string{"", recipient},
		})
		require.NoError(t, err)
		return place.Wait.Round(time.Second)
	}
	require.Zero(t, left("ana"))
	require.NoError(t, b.Store.Pause(t.Context(), i.ID, "ana", 30*time.Second))
	require.NoError(t, b.Store.Pause(t.Context(), i.ID, "ana", 10*time.Second))
	require.Equal(t, 30*time.Second, left("ana"), "a pause never gets shorter")
	require.Zero(t, left("luis"))
	require.NoError(t, b.Store.Pause(t.Context(), i.ID, "", time.Minute))
	require.Equal(t, time.Minute, left("luis"))
	b.Exec(t, `update pauses set until_time = now() - interval '2 days'`)
	require.NoError(t, b.Store.PrunePauses(t.Context(), 24*time.Hour))
	var rows int
	require.NoError(t, b.Pool.QueryRow(t.Context(), `select count(*) from pauses`).Scan(&rows))
	require.Zero(t, rows)
}

func TestExclusively(t *testing.T) {
	t.Parallel()
	b := channelstest.New(t)
	inside := make(chan struct{}, 1)
	var callers errgroup.Group
	for range 3 {
		callers.Go(func() error {
			return b.Store.Exclusively(context.Background(), "x", func(context.Context) error {
				select {
				case inside <- struct{}{}:
				default:
					return errors.New("two at once")
				}
				<-inside
				return nil
			})
		})
	}
	require.NoError(t, callers.Wait())
}

// TestPlans checks that what runs for every message has an index. Sequential scans are switched off because tables of tests
// are too small to deserve better.
func TestPlans(t *testing.T) {
	t.Parallel()
	b := channelstest.New(t)
	i := b.WhatsApp(t)
	for index, query := range map[string]string{
		"delivery_parts_message_id": `select 1 from delivery_parts p join deliveries d using (request_id) where p.message_id = 'x' and p.message_id <> '' and d.integration_id = '` + i.ID + `'`,
		"delivery_parts_pkey":       `select 1 from delivery_parts where request_id = 'x' order by ordinal`,
		"deliveries_pkey":           `select 1 from deliveries where request_id = 'x' for update`,
		"deliveries_create_time":    `select request_id from deliveries where create_time < now() limit 10`,
		"pauses_pkey":               `select max(until_time) from pauses where integration_id = '` + i.ID + `' and recipient = any ('{"",x}')`,
		"pacing_pkey": `select p.on_time from pacing p join unnest('{"",x}'::text[], '{number,pair}'::text[]) as w (recipient, quota) using (recipient, quota)
			where p.integration_id = '` + i.ID + `' order by p.recipient desc, p.quota for no key update of p`,
		"integrations_revision": `select 1 from integrations where revision > 5 order by revision`,
	} {
		require.NoError(t, pgx.BeginFunc(t.Context(), b.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `set local enable_seqscan = off`); err != nil {
				return err
			}
			rows, err := tx.Query(t.Context(), `explain `+query)
			require.NoError(t, err)
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.Contains(t, strings.Join(plan, "\n"), index)
			return err
		}))
	}
}
