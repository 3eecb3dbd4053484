package channels

import (
	"errors"
	"slices"
	"time"
)

// Delivery is a request to send and what became of it. Providers take no idempotency key, so every try of a part is
// written down before the provider is called, and its outcome afterwards. A part whose outcome nobody wrote down is in doubt.
//
// Its methods are the whole state machine and touch nothing else; the store runs them under a row lock with the
// database's clock, so that any number of replicas agree.
type Delivery struct {
	RequestID     string
	IntegrationID string
	Platform      Platform
	// Recipient is whom it goes to, as Address.Recipient says: a report that asks to wait does not tell.
	Recipient string
	// Fingerprint is a digest of what was asked, to tell a repeat from a request id used twice.
	Fingerprint []byte
	// Template is set for a template, which has one part.
	Template *Template
	Parts    []DeliveryPart
	// MaybeDuplicate is set once a part was sent again after an outcome that stayed unknown.
	MaybeDuplicate bool
	// Lease is held by the call that is sending.
	Lease Lease
}

// Lease keeps other calls with the same request id away. It ends by itself if its holder dies.
type Lease struct {
	Token string
	Until time.Time
}

// DeliveryPart is one message at the provider.
type DeliveryPart struct {
	// Content as rendered at the first call, so that a retry sends the same; dropped once settled. Restore brings it back.
	Content Part
	Progress
}

// Progress is how far a part came.
type Progress struct {
	Phase Phase
	// Try numbers the calls to the provider, from 1.
	Try     int
	TryTime time.Time
	// Doubts counts the tries whose outcome never became known.
	Doubts int
	// LateFailures counts the tries that the provider took and then reported as failed.
	LateFailures int
	MessageID    string
	State        DeliveryState
	ErrorCode    int
	ErrorMessage string
	// Pricing is zero until a report says what the message costs.
	Pricing Pricing
}

// Phase is where a part stands between us and the provider.
type Phase string

// The phases.
const (
	// PhasePending is known not to have gone out. Its state is DeliveryFailed if the provider took it first.
	PhasePending Phase = "pending"
	// PhaseSending has a try without an outcome: running if the lease is alive, in doubt if not.
	PhaseSending Phase = "sending"
	// PhaseSent was taken by the provider.
	PhaseSent Phase = "sent"
	// PhaseRefused is known not to have gone out for a reason that waiting does not cure. It is tried again if asked.
	PhaseRefused Phase = "refused"
	// PhaseUnknown was sent again after a doubt and that try's outcome stayed unknown too. It is not sent a third time, because
	// the customer may have it twice already, and does not count as sent, because both may be lost: a person has to look.
	PhaseUnknown Phase = "unknown"
)

// settled says that nothing more will be sent.
func (p Phase) settled() bool { return p == PhaseSent || p == PhaseUnknown }

// DeliveryState is how far a message came, as providers report it. A lower one never replaces a higher one.
type DeliveryState int

// The states, in their order.
const (
	DeliveryUnspecified DeliveryState = iota
	DeliverySent
	DeliveryDelivered
	DeliveryRead
	DeliveryPlayed
	DeliveryFailed
)

// ErrInFlight and ErrInDoubt are the reasons to wait.
var (
	// ErrInFlight says that another call is sending this request.
	ErrInFlight = errors.New("the same request is being sent")
	// ErrInDoubt says that the outcome of the last try is not known yet.
	ErrInDoubt = errors.New("the outcome of the last try is not known yet")
)

// WaitError asks to come back later with the same request.
type WaitError struct {
	// Reason is ErrInFlight or ErrInDoubt.
	Reason     error
	RetryAfter time.Duration
}

// Error returns the reason.
func (e *WaitError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *WaitError) Unwrap() error { return e.Reason }

// Timing of tries.
type Timing struct {
	// Lease is how long a try may take before it is in doubt. It must exceed the timeout of the call to the provider.
	Lease time.Duration
	// EchoWait is how long a WhatsApp try in doubt waits for its echo in a delivery report.
	EchoWait time.Duration
	// Upload is how much longer a try may take, and so its lease and its doubt, that first hands over a stored file.
	Upload time.Duration
}

// doubtRetry is how soon to come back when nothing will tell the outcome (Telegram echoes nothing).
const doubtRetry = time.Second

// Step is the next call to make.
type Step struct {
	// Done says that every part is settled and there is none.
	Done bool
	Part int
	Try  int
}

// Next decides what the holder of token does now, and writes the intent down in d. permit is why no try may
// start, nil if one may. Returns *WaitError while another call sends or an outcome is unknown, or permit's error; then d is not sent.
func (d *Delivery) Next(token string, t Timing, now time.Time, permit error) (Step, error) {
	n := d.unsettled()
	for ; n >= 0; n = d.unsettled() {
		if d.Lease.Token != token && now.Before(d.Lease.Until) {
			return Step{}, &WaitError{Reason: ErrInFlight, RetryAfter: d.Lease.Until.Sub(now)}
		}
		p := &d.Parts[n]
		if p.Phase == PhaseSending && d.Platform == WhatsApp {
			if left := p.TryTime.Add(t.EchoWait + d.upload(n, t)).Sub(now); left > 0 {
				return Step{}, &WaitError{Reason: ErrInDoubt, RetryAfter: left}
			}
		}
		if p.Phase != PhaseSending || p.Doubts == 0 {
			break
		}
		p.Phase, p.State, p.Content = PhaseUnknown, DeliveryUnspecified, Part{}
	}
	if n < 0 {
		d.release(token)
		d.Template = nil // Like the content of a settled part: what was said is not kept here.
		return Step{Done: true}, nil
	}
	if permit != nil {
		d.release(token)
		return Step{}, permit
	}
	return d.try(n, token, t, now), nil
}

// RepeatsNext says that Next would now send a part again whose outcome is unknown. That happens once only, so it should not be
// spent on a provider that is away.
func (d *Delivery) RepeatsNext(token string, t Timing, now time.Time) bool {
	n := d.unsettled()
	if n < 0 || d.Parts[n].Phase != PhaseSending || d.Parts[n].Doubts > 0 {
		return false
	}
	held := d.Lease.Token != token && now.Before(d.Lease.Until)
	waits := d.Platform == WhatsApp && now.Before(d.Parts[n].TryTime.Add(t.EchoWait+d.upload(n, t)))
	return !held && !waits
}

// Tried says whether any part was ever tried.
func (d *Delivery) Tried() bool {
	return slices.ContainsFunc(d.Parts, func(p DeliveryPart) bool { return p.Try > 0 })
}

// Unknown says that a part was sent twice and nobody knows whether either arrived.
func (d *Delivery) Unknown() bool {
	return slices.ContainsFunc(d.Parts, func(p DeliveryPart) bool { return p.Phase == PhaseUnknown })
}

// Settled says that there is nothing left to send.
func (d *Delivery) Settled() bool { return d.unsettled() < 0 }

func (d *Delivery) unsettled() int {
	return slices.IndexFunc(d.Parts, func(p DeliveryPart) bool { return !p.Phase.settled() })
}

// try writes the intent to send part n.
func (d *Delivery) try(n int, token string, t Timing, now time.Time) Step {
	p := &d.Parts[n]
	if p.Phase == PhaseSending {
		p.Doubts++
		d.MaybeDuplicate = true
	}
	p.Phase, p.State, p.MessageID, p.ErrorCode, p.ErrorMessage = PhaseSending, DeliveryUnspecified, "", 0, ""
	p.Try++
	p.TryTime = now
	d.Lease = Lease{Token: token, Until: now.Add(t.Lease + d.upload(n, t))}
	return Step{Part: n, Try: p.Try}
}

// HandsOver says that a part is sent with bytes of a stored file.
func (d *Delivery) HandsOver(part int) bool {
	m := d.Parts[part].Content.Media
	return m != nil && m.ID != "" || d.Template != nil && len(d.Template.Files()) > 0
}

func (d *Delivery) upload(part int, t Timing) time.Duration {
	if d.HandsOver(part) {
		return t.Upload
	}
	return 0
}

func (d *Delivery) release(token string) {
	if d.Lease.Token == token {
		d.Lease = Lease{}
	}
}

// Restore fills in the content of parts that are to be sent again after it was dropped. asked is the same request, rendered
// anew. Returns false if that has become other messages, as it may in a newer version of this program.
func (d *Delivery) Restore(asked Delivery) bool {
	for n := range d.Parts {
		p := &d.Parts[n]
		if p.LateFailures == 0 || p.Phase.settled() {
			continue
		}
		if len(asked.Parts) != len(d.Parts) {
			return false
		}
		p.Content, d.Template = asked.Parts[n].Content, asked.Template
	}
	return true
}

// Sent records that the provider took a try. It settles the part whatever happened meanwhile, because a message that is
// out cannot be taken back; unless the provider has said already that it took and then lost it.
func (d *Delivery) Sent(s Step, messageID string) {
	if d.Parts[s.Part].failedLate(s) {
		return
	}
	d.settle(s, messageID)
}

// failedLate says that a try was taken and then reported as failed, and that no other has replaced it yet.
func (p *DeliveryPart) failedLate(s Step) bool {
	return p.Phase == PhasePending && p.LateFailures > 0 && p.Try == s.Try && p.State == DeliveryFailed
}

func (d *Delivery) settle(s Step, messageID string) {
	p := &d.Parts[s.Part]
	if p.Phase != PhaseSent || p.MessageID == "" {
		p.MessageID = messageID
	}
	if p.Phase == PhaseRefused && p.Try != s.Try || p.failedLate(s) {
		p.State = DeliveryUnspecified // The refusal was of a later copy, or is belied; this one is out.
	}
	p.Phase, p.Content, p.State = PhaseSent, Part{}, max(p.State, DeliverySent)
	if p.State != DeliveryFailed {
		p.ErrorCode, p.ErrorMessage = 0, ""
	}
}

// NotSent records that a try is known not to have gone out; with final set, waiting does not cure it. A try that a later
// one has replaced is left alone. The lease is given back.
func (d *Delivery) NotSent(token string, s Step, e *SendError, final bool) {
	d.release(token)
	p := &d.Parts[s.Part]
	if p.Phase != PhaseSending || p.Try != s.Try {
		return
	}
	p.Phase, p.ErrorCode, p.ErrorMessage = PhasePending, e.Code, e.Message
	if final {
		p.Phase, p.State = PhaseRefused, DeliveryFailed
	}
}

// Doubtful gives the lease back after a try whose outcome is unknown, and returns what the caller has to wait for.
func (d *Delivery) Doubtful(token string, s Step, t Timing, now time.Time) error {
	d.release(token)
	p := d.Parts[s.Part]
	if p.Phase.settled() {
		return nil // A report was faster than the provider's answer.
	}
	wait := doubtRetry
	if d.Platform == WhatsApp {
		wait = max(p.TryTime.Add(t.EchoWait+d.upload(s.Part, t)).Sub(now), doubtRetry)
	}
	return &WaitError{Reason: ErrInDoubt, RetryAfter: wait}
}

// State returns the lowest state of the parts, or DeliveryFailed if one failed.
func (d Delivery) State() DeliveryState {
	lowest := DeliveryFailed
	for _, p := range d.Parts {
		if p.State == DeliveryFailed {
			return DeliveryFailed
		}
		lowest = min(lowest, p.State)
	}
	return lowest
}
