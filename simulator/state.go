package simulator

// State is how far a message got.
type State string

// States in their order. An inbound message is sent until the webhook was
// acknowledged, then delivered, and read once the business marked it so.
const (
	StateAccepted  State = "accepted"
	StateSent      State = "sent"
	StateDelivered State = "delivered"
	StateRead      State = "read"
	StateFailed    State = "failed"
)

// CanBecome reports whether a message may go from s to next: states only rise,
// and what was delivered can no longer fail.
func (s State) CanBecome(next State) bool {
	if s == StateFailed {
		return false
	}
	if next == StateFailed {
		return s.rank() < StateDelivered.rank()
	}
	return next.rank() > s.rank()
}

func (s State) rank() int {
	switch s {
	case StateAccepted:
		return 1
	case StateSent:
		return 2
	case StateDelivered:
		return 3
	case StateRead:
		return 4
	default:
		return 0
	}
}
