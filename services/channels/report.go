package channels

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Echo returns the correlation string of a try, which WhatsApp sends back in delivery reports: request/part/try. A report
// with the echo can arrive before the answer to our own call, and after a timeout it is all that arrives.
func Echo(requestID string, s Step) string { return fmt.Sprintf("%s/%d/%d", requestID, s.Part, s.Try) }

// ParseEcho reads a correlation string back. Reports false for one that is not ours.
func ParseEcho(echo string) (requestID string, s Step, ok bool) {
	rest, try, ok1 := cutLast(echo)
	requestID, part, ok2 := cutLast(rest)
	t, err1 := strconv.Atoi(try)
	p, err2 := strconv.Atoi(part)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || requestID == "" || t < 1 || p < 0 {
		return "", Step{}, false
	}
	return requestID, Step{Part: p, Try: t}, true
}

func cutLast(s string) (before, after string, ok bool) {
	n := strings.LastIndexByte(s, '/')
	if n < 0 {
		return "", "", false
	}
	return s[:n], s[n+1:], true
}

// Report is what a provider says of a message that we sent.
type Report struct {
	MessageID    string
	State        DeliveryState
	Echo         string
	ErrorCode    int
	ErrorMessage string
	// Curable says of a failure that waiting cures it: the same message may be sent again.
	Curable bool
	// Pricing is zero where the report does not speak of it.
	Pricing Pricing
}

// maxLateFailures is how often a message is sent again that a provider took and then reported as failed.
const maxLateFailures = 3

// Pricing is what WhatsApp says of a message's price, in Meta's own words. It comes with "sent" and with one of "delivered"
// and "read" (WhatsApp docs, "Status messages reference", page of 2026-09-11).
type Pricing struct {
	Billable bool
	// Model is such as "PMP", Type such as "regular", Category such as "service".
	Model    string
	Type     string
	Category string
}

// ReportOutcome is what a report did.
type ReportOutcome struct {
	// RequestID is empty when the message is not ours.
	RequestID string
	// State is the whole delivery's.
	State DeliveryState
	// WindowClosed says that WhatsApp refused it because its 24-hour window is over.
	WindowClosed bool
	// RetryAfter is set when the message did not go out after all and the same request sends it again: after that long.
	RetryAfter time.Duration
}

// Apply takes a report on a try of one of the parts. Anything but a failure proves that the message is out and settles a
// part in doubt; a failure of the try in doubt proves the contrary, and the part may be sent again. So it may after a curable
// failure of one that the provider took: then Apply returns how many there were of this part, else 0.
func (d *Delivery) Apply(s Step, r Report) (lateFailures int) {
	if s.Part < 0 || s.Part >= len(d.Parts) {
		return 0
	}
	p := &d.Parts[s.Part]
	if r.State == DeliveryFailed {
		return p.fail(s, r)
	}
	p.price(r)
	if r.State == DeliveryUnspecified {
		return 0
	}
	if r.State == DeliverySent && p.failedLate(s) {
		return 0 // "Sent" comes after "failed" when reports overtake each other; what comes after "sent" would belie the failure.
	}
	if p.Phase != PhaseSent || p.MessageID == "" {
		d.settle(s, r.MessageID)
	}
	p.State = max(p.State, r.State)
	return 0
}

// price keeps what a report says of the price. One that says nothing never wipes it out, nor does one that comes late.
func (p *DeliveryPart) price(r Report) {
	if r.Pricing != (Pricing{}) && (p.Pricing == (Pricing{}) || r.State >= p.State) {
		p.Pricing = r.Pricing
	}
}

// fail records a failure. That of a try which a later one has replaced says nothing about the later one, and a message that
// reached the customer is never sent again.
func (p *DeliveryPart) fail(s Step, r Report) (lateFailures int) {
	if p.Try != s.Try && p.MessageID != r.MessageID {
		return 0
	}
	curable := r.Curable && p.LateFailures < maxLateFailures && p.State != DeliveryDelivered && p.State != DeliveryRead &&
		p.State != DeliveryPlayed
	switch p.Phase {
	case PhasePending:
		if p.failedLate(s) {
			return p.LateFailures // Reported before.
		}
		return 0
	case PhaseSending:
		p.Phase = PhaseRefused
	case PhaseRefused:
		curable = false
	case PhaseSent, PhaseUnknown:
		// Stays if it is not curable: the provider took it once, it is not ours to send again.
	}
	p.price(r)
	p.State, p.ErrorCode, p.ErrorMessage = DeliveryFailed, r.ErrorCode, r.ErrorMessage
	if !curable {
		return 0
	}
	p.Phase, p.Pricing = PhasePending, Pricing{}
	p.LateFailures++
	return p.LateFailures
}
