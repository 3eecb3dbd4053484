package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

const (
	// MaxParts is the longest answer in messages.
	MaxParts = 32
	// maxText bounds what is taken at all. Rendering cuts off what does not fit into MaxParts.
	maxText = 1 << 20
)

// Message is a content to send.
type Message struct {
	RequestID string
	To        channels.Address
	channels.Content
	// ReplyTo is the provider's id of the message to quote, empty for none.
	ReplyTo string
	// WindowExpireTime is until when WhatsApp allows free text, zero where there is no window.
	WindowExpireTime time.Time
}

// TemplateMessage is a template to send.
type TemplateMessage struct {
	RequestID string
	To        channels.Address
	Template  channels.Template
}

// Send sends a content in as many messages as the platform demands. The same request again sends only what is known not to
// have gone out; when all has, it returns what is recorded. Its errors are faults, listed at the RPC.
func (s *Service) Send(ctx context.Context, m Message) (channels.Delivery, error) {
	asked := []any{m.Markdown, m.Buttons, m.ReplyTo}
	if m.Attachment != (channels.Attachment{}) {
		asked = append(asked, m.Attachment)
	}
	d := newDelivery(m.RequestID, m.To, asked...)
	to := route{to: m.To, replyTo: m.ReplyTo, windowEnd: m.WindowExpireTime}
	m.Media, to.missing = s.resolve(ctx, m.To.IntegrationID, m.Media)
	parts, err := s.render(m.To.Platform(), m.Content)
	if err != nil {
		return channels.Delivery{}, err
	}
	for _, p := range parts {
		d.Parts = append(d.Parts, channels.DeliveryPart{Content: p, Progress: channels.Progress{Phase: channels.PhasePending}})
	}
	return s.deliver(ctx, d, to)
}

// SendTemplate sends an approved WhatsApp template, with the promises of Send.
func (s *Service) SendTemplate(ctx context.Context, m TemplateMessage) (channels.Delivery, error) {
	if m.To.WhatsApp == nil {
		return channels.Delivery{}, fault.New(fault.Invalid, "TEMPLATE_NEEDS_WHATSAPP", "only WhatsApp has templates")
	}
	d := newDelivery(m.RequestID, m.To, m.Template)
	to := route{to: m.To}
	d.Template, to.missing = s.resolveTemplate(ctx, m.To.IntegrationID, m.Template)
	d.Parts = []channels.DeliveryPart{{Progress: channels.Progress{Phase: channels.PhasePending}}}
	return s.deliver(ctx, d, to)
}

// Get returns what is known of a request.
func (s *Service) Get(ctx context.Context, requestID string) (channels.Delivery, error) {
	d, err := s.store.Delivery(ctx, requestID)
	return d, asFault(err)
}

func (s *Service) render(p channels.Platform, c channels.Content) ([]channels.Part, error) {
	if len(c.Markdown) > maxText {
		return nil, tooLong()
	}
	if c.NeedsText() && strings.TrimSpace(c.Markdown) == "" {
		return nil, fault.New(fault.Invalid, "TEXT_EMPTY", "there is no text to send")
	}
	parts := s.providers[p].Render(c)
	switch {
	case len(parts) == 0:
		return nil, fault.New(fault.Invalid, "TEXT_EMPTY", "nothing of the text is left to send after rendering")
	case len(parts) > MaxParts:
		return nil, tooLong()
	}
	return parts, nil
}

func tooLong() error {
	return fault.Newf(fault.Invalid, "TEXT_TOO_LONG", "the text has more than 1 MiB or needs more than %d messages", MaxParts)
}

// newDelivery fingerprints everything that was asked, so that a request id used for something else is noticed.
func newDelivery(requestID string, to channels.Address, asked ...any) channels.Delivery {
	fingerprint, err := json.Marshal(append(asked, to))
	if err != nil {
		panic("delivery: request does not marshal: " + err.Error()) // Plain structs of strings and numbers always do.
	}
	sum := sha256.Sum256(fingerprint)
	return channels.Delivery{
		RequestID: requestID, IntegrationID: to.IntegrationID, Platform: to.Platform(), Recipient: to.Recipient(), Fingerprint: sum[:],
	}
}
