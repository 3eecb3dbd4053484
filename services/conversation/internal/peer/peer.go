// Package peer says what the state and the errors of another service mean for a turn.
package peer

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// awayPause is how soon to look again for a peer that is away.
const awayPause = time.Second

// Present returns an error if nobody answers at the peer's address. Then no call is made and no attempt is used up: an outage
// is not the message's fault. A call that was made and broke off counts, because the message may be what broke it.
func Present(conn *grpc.ClientConn) error {
	switch conn.GetState() {
	case connectivity.Idle:
		conn.Connect()
	case connectivity.TransientFailure, connectivity.Shutdown:
		return &conversation.PeerError{Verdict: conversation.Away, Reason: "PEER_AWAY", RetryAfter: awayPause}
	}
	return nil
}

// Error gives an error what all services mean by it: throttled and in flight only wait, what is invalid is final, everything
// else counts as an attempt.
func Error(err error) *conversation.PeerError {
	e := &conversation.PeerError{Reason: fault.ReasonOf(err), Cause: err}
	if e.Reason == "" {
		e.Reason = status.Code(err).String()
	}
	e.RetryAfter, _ = fault.RetryAfterOf(err)
	switch fault.KindOf(err) {
	case fault.Throttled, fault.InFlight:
		e.Verdict = conversation.Wait
	case fault.Invalid:
		e.Verdict = conversation.Refused
	}
	return e
}
