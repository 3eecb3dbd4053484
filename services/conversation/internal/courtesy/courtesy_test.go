package courtesy_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

// tally counts results.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func (c *tally) Courtesy(_, result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = map[string]int{}
	}
	c.count[result]++
}

func (c *tally) of(result string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[result]
}

func TestQueueShowsEachKindOverTheWire(t *testing.T) {
	t.Parallel()
	channels, counts := channelstest.New(t), &tally{}
	q := courtesy.NewQueue(t.Context(), sender.New(channels.Conn), counts)
	t.Cleanup(q.Close)
	address := conversation.Address{PhoneNumber: "57300"}
	for _, k := range []courtesy.Kind{courtesy.Read, courtesy.ReadTyping, courtesy.Typing, courtesy.Press} {
		q.Offer(courtesy.Courtesy{Kind: k, Integration: "wa-1", Address: address, Message: "m"})
	}
	require.Eventually(t, func() bool { return counts.of("done") == 4 }, 10*time.Second, time.Millisecond)
	typing := 0
	for _, r := range channels.Reads() {
		require.Equal(t, "m", r.GetMessageId())
		if r.GetTyping() {
			typing++
		}
	}
	require.Equal(t, 1, typing)
}

// blocked is a channel that does nothing until it is told to stop.
type blocked struct{ begun chan struct{} }

func (b blocked) MarkRead(ctx context.Context, _ conversation.IntegrationID, _ conversation.Address, _ string, _ bool) error {
	b.begun <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func (blocked) ShowTyping(context.Context, conversation.Address, conversation.IntegrationID, string) error {
	return errors.New("away")
}

func (blocked) AnswerPress(context.Context, conversation.IntegrationID, string) error { return nil }

func TestQueueDropsAndCountsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	counts := &tally{}
	channel := blocked{begun: make(chan struct{}, 64)}
	q := courtesy.NewQueue(t.Context(), channel, counts)
	for n := range 3000 {
		q.Offer(courtesy.Courtesy{Kind: courtesy.Read, Integration: conversation.IntegrationID(strconv.Itoa(n))})
	}
	require.Positive(t, counts.of("dropped"))
	<-channel.begun
	q.Close() // ends at once, though the channel hangs
}

func TestFloodOfOneIntegrationTakesItsShareOnly(t *testing.T) {
	t.Parallel()
	counts := &tally{}
	channel := &shown{}
	q := courtesy.NewQueue(t.Context(), channel, counts)
	t.Cleanup(q.Close)
	for range 500 {
		q.Offer(courtesy.Courtesy{Kind: courtesy.Typing, Integration: "flooded"})
	}
	for range 100 {
		q.Offer(courtesy.Courtesy{Kind: courtesy.Press, Integration: "flooded"})
	}
	q.Offer(courtesy.Courtesy{Kind: courtesy.Typing, Integration: "quiet"})
	dropped := counts.of("dropped")
	require.Greater(t, dropped, 300)
	require.Eventually(t, func() bool { return counts.of("done") == 601-dropped }, 10*time.Second, time.Millisecond)
	require.EqualValues(t, 100, channel.presses.Load(), "no button is left waiting")
	require.EqualValues(t, 1, channel.quiet.Load())
}

// shown is a channel that counts.
type shown struct{ presses, quiet atomic.Int64 }

func (*shown) MarkRead(context.Context, conversation.IntegrationID, conversation.Address, string, bool) error {
	return nil
}

func (s *shown) ShowTyping(_ context.Context, _ conversation.Address, i conversation.IntegrationID, _ string) error {
	if i == "quiet" {
		s.quiet.Add(1)
	}
	return nil
}

func (s *shown) AnswerPress(context.Context, conversation.IntegrationID, string) error {
	s.presses.Add(1)
	return nil
}

func TestQueueCountsFailures(t *testing.T) {
	t.Parallel()
	counts := &tally{}
	q := courtesy.NewQueue(t.Context(), blocked{}, counts)
	t.Cleanup(q.Close)
	q.Offer(courtesy.Courtesy{Kind: courtesy.Typing})
	require.Eventually(t, func() bool { return counts.of("failed") == 1 }, 10*time.Second, time.Millisecond)
}
