package peer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
	"github.com/knobot/knobot/services/conversation/internal/peer/peertest"
)

func TestPeerThatAnswersIsPresent(t *testing.T) {
	t.Parallel()
	conn := peertest.Serve(t, func(*grpc.Server) {})
	require.NoError(t, peer.Present(conn), "not dialled yet")
	require.Eventually(t, func() bool { return conn.GetState() == connectivity.Ready }, 10*time.Second, time.Millisecond,
		"asking dials")
	require.NoError(t, peer.Present(conn))
}

func TestPeerWhoseAddressRefusesIsAway(t *testing.T) {
	t.Parallel()
	conn, err := rpc.Dial("passthrough:///127.0.0.1:1")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	var away error
	require.Eventually(t, func() bool { away = peer.Present(conn); return away != nil }, 10*time.Second, time.Millisecond)
	var p *conversation.PeerError
	require.ErrorAs(t, away, &p)
	require.Equal(t, conversation.Away, p.Verdict)
	require.Positive(t, p.RetryAfter)
}

func TestErrorsOfPeersHaveAVerdictAndAReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err     error
		verdict conversation.Verdict
		reason  string
	}{
		"ours":            {fault.New(fault.Throttled, "BUDGET_SPENT", "x"), conversation.Wait, "BUDGET_SPENT"},
		"in flight":       {fault.New(fault.InFlight, "IN_FLIGHT", "x"), conversation.Wait, "IN_FLIGHT"},
		"invalid":         {fault.New(fault.Invalid, "X", "x"), conversation.Refused, "X"},
		"grpc's own":      {status.Error(codes.Unavailable, "connection error: desc = \"…\""), conversation.Retry, "Unavailable"},
		"deadline":        {status.FromContextError(context.DeadlineExceeded).Err(), conversation.Retry, "DeadlineExceeded"},
		"not from a peer": {errors.New("boom"), conversation.Retry, "INTERNAL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := peer.Error(c.err)
			require.Equal(t, c.verdict, e.Verdict)
			require.Equal(t, c.reason, e.Reason)
			require.ErrorIs(t, e, c.err)
		})
	}
}
