package files_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/files"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const (
	number conversation.IntegrationID = "wa-1"
	second conversation.IntegrationID = "wa-2"

	patience = 20 * time.Second
	beat     = 5 * time.Millisecond
)

type bundle struct {
	t        *testing.T
	pool     *pgxpool.Pool
	store    *postgres.Store
	channels *channelstest.Server
	table    *integrations.Table
	fetcher  *files.Fetcher
	n        int
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	b := &bundle{
		t: t, pool: pool, channels: channelstest.New(t), table: integrations.NewTable(),
		store: postgres.NewStore(pool, postgres.Settings{IdleAfter: time.Hour, LongestWait: time.Second}),
	}
	b.answering(number, second)
	b.fetcher = b.newFetcher()
	return b
}

func (b *bundle) newFetcher() *files.Fetcher {
	return files.NewFetcher(b.store, sender.New(b.channels.Conn), b.table, zap.NewNop())
}

func (b *bundle) answering(ids ...conversation.IntegrationID) {
	all := map[conversation.IntegrationID]conversation.Integration{}
	for _, id := range ids {
		all[id] = conversation.DefaultIntegration(id, conversation.WhatsApp)
	}
	b.table.Replace(all)
}

// arrival is a message with a file.
func (b *bundle) arrival(id conversation.IntegrationID, media string, changes ...func(*conversation.Arrival)) conversation.Arrival {
	b.n++
	m := &conversation.InboundMessage{
		MessageID: fmt.Sprintf("m%d", b.n), Kind: conversation.KindImage, Addressed: true, Text: "mira",
		Sender: conversation.Sender{PhoneNumber: "573001234567"}, Address: conversation.Address{PhoneNumber: "573001234567"},
		Media: &conversation.Media{ID: media, MIMEType: "image/jpeg", SHA256: "ab", Filename: "f.jpg", SizeBytes: 3},
	}
	a := conversation.Arrival{
		Event: conversation.Event{Key: fmt.Sprintf("msg:%d", b.n), Integration: id, Kind: "image", OccurTime: time.Now(), Content: m},
		Plan:  conversation.PlanMessage(m, "es"), Message: m, Integration: conversation.DefaultIntegration(id, conversation.WhatsApp),
		StaleAfter: time.Hour,
	}
	for _, change := range changes {
		change(&a)
	}
	return a
}

func (b *bundle) receive(arrivals ...conversation.Arrival) conversation.Receipt {
	b.t.Helper()
	b.n++
	for i := range arrivals {
		arrivals[i].Ordinal = int32(i)
	}
	receipts, err := b.store.Ingest(b.t.Context(), []conversation.Delivery{{
		Log: conversation.LogID(uuid.NewString()), Platform: conversation.WhatsApp, Payload: fmt.Append(nil, b.n), Arrivals: arrivals,
	}})
	require.NoError(b.t, err)
	return receipts[0]
}

// run starts a fetcher and returns what stops it. It is stopped at the end of the test at the latest.
func (b *bundle) run(f *files.Fetcher) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = f.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(stop)
	return stop
}

func (b *bundle) count(query string) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.pool.QueryRow(context.Background(), "select count(*) from "+query).Scan(&n))
	return n
}

func (b *bundle) exec(query string) {
	b.t.Helper()
	_, err := b.pool.Exec(context.Background(), query)
	require.NoError(b.t, err)
}

func (b *bundle) eventually(query string, n int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.count(query) == n }, patience, beat, query)
}

func (b *bundle) fetched() []string {
	var out []string
	for _, r := range b.channels.Fetched() {
		out = append(out, r.GetMedia().GetId())
	}
	return out
}

func TestFetcher(t *testing.T) {
	t.Parallel()

	t.Run("TakesEveryFileInAsItWasDescribed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.Holds("f1", "four")
		require.Equal(t, 1, b.receive(b.arrival(number, "f1")).Files)
		b.run(b.fetcher)
		b.eventually("messages where media_id = 'stored-f1' and media_size = 4 and media_error = ''", 1)
		require.Zero(t, b.count("media_fetches"))
		r := b.channels.Fetched()[0]
		require.Equal(t, "wa-1", r.GetIntegrationId())
		require.Equal(t, "image/jpeg", r.GetMedia().GetMimeType())
		require.Equal(t, "ab", r.GetMedia().GetSha256())
		require.Equal(t, "f.jpg", r.GetMedia().GetFilename())
		require.EqualValues(t, 3, r.GetMedia().GetSizeBytes())
	})

	t.Run("ThatNobodyAnswersToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		staff := func(a *conversation.Arrival) { a.Message.Echo, a.Plan.Answer = true, false }
		stale := func(a *conversation.Arrival) { a.OccurTime = time.Now().Add(-2 * time.Hour) }
		ignored := func(a *conversation.Arrival) { a.Outcome = conversation.OutcomeIgnored }
		bare := func(a *conversation.Arrival) { a.Message.Media = nil }
		nameless := func(a *conversation.Arrival) { a.Message.Media = &conversation.Media{} }
		r := b.receive(b.arrival(number, "staff", staff), b.arrival(number, "stale", stale), b.arrival(number, "ignored", ignored),
			b.arrival(number, "", bare), b.arrival(number, "", nameless))
		require.Equal(t, 2, r.Files)
		b.run(b.fetcher)
		b.eventually("media_fetches", 0)
		require.ElementsMatch(t, []string{"staff", "stale"}, b.fetched())
	})

	t.Run("RepeatedWebhookIsNotFetchedAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		a := b.arrival(number, "f1")
		require.Equal(t, 1, b.receive(a).Files)
		require.Zero(t, b.receive(a).Files)
		b.run(b.fetcher)
		b.eventually("media_fetches", 0)
		require.Zero(t, b.receive(a).Files)
		require.Zero(t, b.count("media_fetches"))
		require.Equal(t, []string{"f1"}, b.fetched())
	})

	t.Run("WakesAtOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run(b.fetcher)
		for range 3 {
			b.receive(b.arrival(number, "f1"))
			b.fetcher.Wake()
			b.eventually("media_fetches", 0)
		}
	})

	t.Run("OldestFirstAndNoIntegrationWaitsBehindAnother", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for i := range 10 {
			b.receive(b.arrival(number, fmt.Sprintf("a%d", i)))
		}
		b.receive(b.arrival(second, "b0"))
		known := []conversation.IntegrationID{number, second}
		var order []string
		for range 4 {
			claimed, err := b.store.ClaimFetches(t.Context(), known, 1, time.Minute)
			require.NoError(t, err)
			require.Len(t, claimed, 1)
			order = append(order, claimed[0].Media.ID)
		}
		require.Equal(t, []string{"a0", "a1", "a2", "a3"}, order)
		claimed, err := b.store.ClaimFetches(t.Context(), known, 2, time.Minute)
		require.NoError(t, err)
		require.Len(t, claimed, 2)
		require.Equal(t, []string{"a4", "b0"}, []string{claimed[0].Media.ID, claimed[1].Media.ID})
	})

	t.Run("FailureIsTriedAgainLater", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error {
			return fault.New(fault.Unavailable, "PROVIDER_UNAVAILABLE", "try again")
		})
		b.receive(b.arrival(number, "f1"))
		b.run(b.fetcher)
		b.eventually("media_fetches where failures = 1 and due_at > now() and lease_token is null", 1)
		b.channels.OnFetch(nil)
		b.exec(`update media_fetches set due_at = now()`)
		b.eventually("messages where media_id = 'stored-f1'", 1)
	})

	t.Run("GivesUpAfterManyFailures", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error {
			return fault.New(fault.Unavailable, "PROVIDER_UNAVAILABLE", "try again")
		})
		b.receive(b.arrival(number, "f1"))
		b.exec(fmt.Sprintf(`update media_fetches set failures = %d`, conversation.MaxFetches-1))
		b.run(b.fetcher)
		b.eventually("messages where media_error = 'PROVIDER_UNAVAILABLE' and media_id = ''", 1)
		require.Zero(t, b.count("media_fetches"))
	})

	t.Run("WhatWillNeverBeHadIsGivenUpAtOnce", func(t *testing.T) {
		t.Parallel()
		for _, reason := range []string{"MEDIA_GONE", "MEDIA_TOO_LARGE", "MEDIA_CORRUPT"} {
			b := setup(t)
			b.channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error {
				return fault.New(fault.Precondition, reason, "no")
			})
			b.receive(b.arrival(number, "f1"))
			b.run(b.fetcher)
			b.eventually("messages where media_error = '"+reason+"'", 1)
			require.Len(t, b.fetched(), 1)
		}
	})

	t.Run("StoppedIntegrationUsesUpNoAttempts", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.channels.OnFetch(func(_ context.Context, r *channelsv1.FetchMediaRequest) error {
			if r.GetIntegrationId() == string(second) {
				return nil
			}
			return fault.New(fault.Precondition, "INTEGRATION_STOPPED", "no")
		})
		b.receive(b.arrival(number, "f1"))
		stop := b.run(b.fetcher)
		b.eventually("media_fetches where failures = 0 and due_at > now() + interval '5 seconds' and lease_token is null", 1)
		stop() // who looks for work now may still take the first one's
		b.answering(second)
		b.exec(`update media_fetches set due_at = now()`)
		b.receive(b.arrival(second, "f2"))
		b.run(b.newFetcher())
		b.eventually("media_fetches", 1)
		require.Len(t, b.channels.Fetched(), 2, "the file of one that takes no part waits")
	})

	t.Run("DeletedIntegrationsFilesAreGivenUp", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.arrival(number, "f1"), b.arrival(second, "f2"))
		require.NoError(t, b.store.ForsakeTurns(t.Context(), []conversation.IntegrationID{number}))
		require.Equal(t, 1, b.count("media_fetches where integration_id = 'wa-2'"))
		require.Equal(t, 1, b.count("media_fetches"))
		require.Equal(t, 1, b.count("messages where media_error = 'INTEGRATION_DELETED'"))
	})

	t.Run("CrashCountsAndIsTakenUpByAnother", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.arrival(number, "f1"))
		old, err := b.store.ClaimFetches(t.Context(), []conversation.IntegrationID{number}, 1, time.Hour)
		require.NoError(t, err)
		b.exec(`update media_fetches set lease_until = now() - interval '1 second'`)
		b.run(b.fetcher)
		b.eventually("messages where media_id = 'stored-f1'", 1)
		require.ErrorIs(t, b.store.GiveUpFetch(t.Context(), old[0], "LATE"), conversation.ErrLeaseLost)
		require.Zero(t, b.count("messages where media_error <> ''"))
	})

	t.Run("StopHandsBackWhatIsUnderWay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		fetching := make(chan struct{}, 1)
		b.channels.OnFetch(func(ctx context.Context, _ *channelsv1.FetchMediaRequest) error {
			fetching <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		stop := b.run(b.fetcher)
		b.receive(b.arrival(number, "f1"))
		<-fetching
		stop()
		require.Equal(t, 1, b.count("media_fetches where failures = 0 and lease_token is null and due_at <= now()"))
	})
}
