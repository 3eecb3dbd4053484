package verification_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/verification"
)

// channels is a channels service of which each stream sends what comes out of news and ends when the channel closes.
type channels struct {
	channelsv1.UnimplementedVerificationServiceServer
	streams chan chan *channelsv1.WatchResponse
}

func (c *channels) Watch(_ *channelsv1.WatchRequest, stream grpc.ServerStreamingServer[channelsv1.WatchResponse]) error {
	select {
	case news := <-c.streams:
		for n := range news {
			if err := stream.Send(n); err != nil {
				return err
			}
		}
		return nil
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

type feedBundle struct {
	table   *verification.Table
	feed    *verification.Feed
	streams chan chan *channelsv1.WatchResponse
}

func follow(t *testing.T) *feedBundle {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fake := &channels{streams: make(chan chan *channelsv1.WatchResponse)}
	server := grpc.NewServer()
	channelsv1.RegisterVerificationServiceServer(server, fake)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })

	b := &feedBundle{table: &verification.Table{}, streams: fake.streams}
	b.feed = verification.NewFeed(conn, b.table, zaptest.NewLogger(t))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.feed.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	return b
}

func credentialsOf(id string, state channelsv1.Integration_State, secret string) *channelsv1.WatchResponse {
	return &channelsv1.WatchResponse{News: &channelsv1.WatchResponse_Credentials{Credentials: &channelsv1.Credentials{
		IntegrationId: id, Platform: typev1.Platform_PLATFORM_TELEGRAM, State: state,
		WebhookSecretSha256: [][]byte{digest(secret)}, BotId: 7, BotUsername: "b",
	}}}
}

func synced() *channelsv1.WatchResponse {
	return &channelsv1.WatchResponse{News: &channelsv1.WatchResponse_Synced{Synced: &channelsv1.Synced{}}}
}

func (b *feedBundle) knows(secret string) func() bool {
	return func() bool {
		_, err := b.table.Telegram([]string{secret})
		return err == nil
	}
}

const soon, often = 20 * time.Second, 5 * time.Millisecond

func TestFeed(t *testing.T) {
	t.Parallel()
	enabled := channelsv1.Integration_STATE_ENABLED

	t.Run("SnapshotCountsOnceItIsWhole", func(t *testing.T) {
		t.Parallel()
		b := follow(t)
		news := make(chan *channelsv1.WatchResponse)
		b.streams <- news
		news <- credentialsOf("a", enabled, "sa")
		news <- credentialsOf("b", enabled, "sb")
		require.False(t, b.table.Synced())
		news <- synced()
		require.Eventually(t, b.table.Synced, soon, often)
		require.True(t, b.knows("sa")())
		require.True(t, b.knows("sb")())
		close(news)
	})

	t.Run("TheFirstNewsAreAwaitedButNotForEver", func(t *testing.T) {
		t.Parallel()
		b := follow(t)
		b.feed.Await(t.Context(), time.Millisecond)
		require.False(t, b.table.Synced(), "channels says nothing")
		news := make(chan *channelsv1.WatchResponse)
		b.streams <- news
		go func() { news <- synced() }()
		b.feed.Await(t.Context(), time.Hour)
		require.True(t, b.table.Synced())
		close(news)
		again := make(chan *channelsv1.WatchResponse)
		b.streams <- again
		again <- synced() // a second snapshot closes nothing twice
		close(again)
	})

	t.Run("ChangesArriveAndRemovalsGo", func(t *testing.T) {
		t.Parallel()
		b := follow(t)
		news := make(chan *channelsv1.WatchResponse)
		b.streams <- news
		news <- synced()
		news <- credentialsOf("a", enabled, "one")
		require.Eventually(t, b.knows("one"), soon, often)
		news <- credentialsOf("a", enabled, "two")
		require.Eventually(t, b.knows("two"), soon, often)
		require.False(t, b.knows("one")())
		news <- &channelsv1.WatchResponse{News: &channelsv1.WatchResponse_RemovedIntegrationId{RemovedIntegrationId: "a"}}
		require.Eventually(t, func() bool { return !b.knows("two")() }, soon, often)
		close(news)
	})

	t.Run("TableServesWhileChannelsIsAwayAndComesBack", func(t *testing.T) {
		t.Parallel()
		b := follow(t)
		first := make(chan *channelsv1.WatchResponse)
		b.streams <- first
		first <- credentialsOf("a", enabled, "one")
		first <- synced()
		require.Eventually(t, b.knows("one"), soon, often)
		close(first)

		half := make(chan *channelsv1.WatchResponse)
		b.streams <- half // a stream that breaks before synced changes nothing.
		half <- credentialsOf("a", enabled, "half")
		close(half)

		second := make(chan *channelsv1.WatchResponse)
		b.streams <- second
		require.True(t, b.knows("one")())
		require.False(t, b.knows("half")())
		second <- credentialsOf("a", enabled, "two")
		second <- synced()
		require.Eventually(t, b.knows("two"), soon, often)
		require.False(t, b.knows("one")())
		close(second)
	})

	t.Run("StatesDecide", func(t *testing.T) {
		t.Parallel()
		b := follow(t)
		news := make(chan *channelsv1.WatchResponse)
		b.streams <- news
		for _, state := range []channelsv1.Integration_State{0, 1, 2, 3, 4, 5} {
			news <- credentialsOf(state.String(), state, state.String())
		}
		news <- synced()
		require.Eventually(t, b.table.Synced, soon, often)
		for state, want := range map[channelsv1.Integration_State]bool{
			channelsv1.Integration_STATE_UNSPECIFIED: false,
			channelsv1.Integration_STATE_ENABLED:     true,
			channelsv1.Integration_STATE_DISABLED:    true,
			channelsv1.Integration_STATE_INCOMPLETE:  false,
			channelsv1.Integration_STATE_STOPPED:     true,
			channelsv1.Integration_STATE_DELETED:     true,
		} {
			require.Equal(t, want, b.knows(state.String())(), state)
		}
		_, err := b.table.Telegram([]string{"unknown"})
		require.ErrorIs(t, err, gateway.ErrWrongCredential)
		close(news)
	})
}
