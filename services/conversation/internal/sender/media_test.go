package sender_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

func TestFetchedFileIsReadInPieces(t *testing.T) {
	t.Parallel()
	channels := channelstest.New(t)
	content := strings.Repeat("0123456789", 100_000)
	channels.Holds("f1", content)
	client := sender.New(channels.Conn)
	file, err := client.Fetch(t.Context(), "wa-1", conversation.Media{ID: "f1"})
	require.NoError(t, err)
	require.Equal(t, conversation.StoredMedia{ID: "stored-f1", SizeBytes: int64(len(content))}, file)
	var got strings.Builder
	count := 0
	for piece, err := range client.Read(t.Context(), file.ID) {
		require.NoError(t, err)
		got.Write(piece)
		count++
	}
	require.Equal(t, content, got.String())
	require.Greater(t, count, 1)
}

func TestReaderMayStop(t *testing.T) {
	t.Parallel()
	channels := channelstest.New(t)
	channels.Holds("f1", strings.Repeat("x", 1<<20))
	for range sender.New(channels.Conn).Read(t.Context(), "stored-f1") {
		break
	}
}

func TestUnknownFileIsRefused(t *testing.T) {
	t.Parallel()
	channels := channelstest.New(t)
	calls := 0
	for _, err := range sender.New(channels.Conn).Read(t.Context(), "lost") {
		calls++
		var p *conversation.PeerError
		require.ErrorAs(t, err, &p)
		require.Equal(t, conversation.Refused, p.Verdict)
	}
	require.Equal(t, 1, calls)
}

func TestFailedFetchHasItsVerdict(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		kind    fault.Kind
		verdict conversation.Verdict
	}{
		"MEDIA_GONE":             {fault.Precondition, conversation.Refused},
		"MEDIA_TOO_LARGE":        {fault.Precondition, conversation.Refused},
		"MEDIA_CORRUPT":          {fault.Precondition, conversation.Refused},
		"INTEGRATION_STOPPED":    {fault.Precondition, conversation.Wait},
		"PROVIDER_UNAVAILABLE":   {fault.Unavailable, conversation.Retry},
		"PROVIDER_THROTTLED":     {fault.Throttled, conversation.Wait},
		"INTEGRATION_NOT_FOUND":  {fault.NotFound, conversation.Refused},
		"SOMETHING_OF_CHANNELS'": {fault.Internal, conversation.Retry},
	} {
		channels := channelstest.New(t)
		channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error { return fault.New(c.kind, reason, "x") })
		_, err := sender.New(channels.Conn).Fetch(t.Context(), "wa-1", conversation.Media{ID: "f"})
		var p *conversation.PeerError
		require.ErrorAs(t, err, &p)
		require.Equal(t, c.verdict, p.Verdict, reason)
	}
}
