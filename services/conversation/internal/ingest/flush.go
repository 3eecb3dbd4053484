package ingest

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/trace"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
)

// flushAll stores what waits, as much as there is at a time.
func (i *Intake) flushAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-i.queue:
			i.flush(ctx, i.gather(p))
		}
	}
}

// gather takes what is there. It does not wait for more: under load a group forms by itself while the others commit.
func (i *Intake) gather(first *pending) []*pending {
	group := []*pending{first}
	size, events := len(first.delivery.Payload), len(first.delivery.Arrivals)
	for len(group) < maxGroup && size < maxGroupBytes && events < maxEvents {
		select {
		case p := <-i.queue:
			group = append(group, p)
			size, events = size+len(p.delivery.Payload), events+len(p.delivery.Arrivals)
		default:
			return group
		}
	}
	return group
}

// flush stores a group. One that fails for its content, or whatever else is not the database's absence, is run again one
// webhook each, so that a bad one harms no other.
func (i *Intake) flush(ctx context.Context, group []*pending) {
	// The statements of a group stand in the trace of its first webhook: they belong to all of them alike.
	ctx = trace.ContextWithSpan(ctx, trace.SpanFromContext(group[0].ctx))
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	i.Metrics.Group(len(group))
	err := i.store(ctx, group)
	for _, p := range group {
		switch {
		case err == nil:
		case ctx.Err() != nil || !refused(err) && (len(group) == 1 || !contended(err)):
			p.err = unavailable(err)
		default:
			p.err = i.single(ctx, p)
		}
	}
	i.release(group)
}

func (i *Intake) store(ctx context.Context, group []*pending) error {
	deliveries := make([]conversation.Delivery, len(group))
	for n, p := range group {
		deliveries[n] = p.delivery
	}
	receipts, err := i.Store.Ingest(ctx, deliveries)
	if err != nil {
		return err
	}
	for n, p := range group {
		p.receipt = receipts[n]
	}
	return nil
}

// single stores one webhook, event by event if need be. What the database refuses for its content is stored as a failed
// event and acknowledged: a refusal would come back for a week and block the chat.
func (i *Intake) single(ctx context.Context, p *pending) error {
	err := i.store(ctx, []*pending{p})
	if err == nil {
		return nil
	}
	if !refused(err) {
		return unavailable(err)
	}
	head := p.delivery
	head.Arrivals = nil
	if err := i.piece(ctx, p, head); err != nil {
		return unavailable(err)
	}
	p.receipt.Duplicate = false
	for _, a := range p.delivery.Arrivals {
		if err := i.event(ctx, p, a); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// event stores one event of a webhook whose log row is there, or the fact that it cannot be stored.
func (i *Intake) event(ctx context.Context, p *pending, a conversation.Arrival) error {
	part := p.delivery
	part.Continued, part.Arrivals = true, []conversation.Arrival{a}
	err := i.piece(ctx, p, part)
	if !refused(err) {
		return err
	}
	a.Outcome, a.Error, a.Message, a.Content = conversation.OutcomeFailed, reason(err), nil, nil
	a.Kind = strings.ReplaceAll(a.Kind, "\x00", "")
	part.Arrivals = []conversation.Arrival{a}
	return i.piece(ctx, p, part)
}

func (i *Intake) piece(ctx context.Context, p *pending, d conversation.Delivery) error {
	receipts, err := i.Store.Ingest(ctx, []conversation.Delivery{d})
	if err != nil {
		return err
	}
	p.receipt.Log = receipts[0].Log
	p.receipt.Opened += receipts[0].Opened
	p.receipt.Files += receipts[0].Files
	p.receipt.Outcomes = append(p.receipt.Outcomes, receipts[0].Outcomes...)
	p.receipt.Paused = append(p.receipt.Paused, receipts[0].Paused...)
	p.receipt.Conversations = append(p.receipt.Conversations, receipts[0].Conversations...)
	return nil
}

// reason says why the database refused something, without showing what.
func reason(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return "refused by the database, SQLSTATE " + pg.Code
	}
	return "refused by the database"
}

// contended knows the failures of a group that each of its webhooks may escape: deadlock, serialisation, statement timeout.
func contended(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001" || pg.Code == "57014")
}

// release does what follows a commit, none of which blocks, and lets the callers go.
func (i *Intake) release(group []*pending) {
	work := 0
	for _, p := range group {
		if p.err == nil {
			work += p.receipt.Opened + p.receipt.Files
			i.thank(p)
		}
	}
	if work > 0 {
		i.Wake()
	}
	for _, p := range group {
		close(p.done)
	}
}

// thank shows the customers of a webhook that their messages have arrived: one courtesy per chat, for its last message.
// Where staff has the word, they show it themselves.
func (i *Intake) thank(p *pending) {
	last := map[string]courtesy.Courtesy{}
	var order []string
	for n, a := range p.delivery.Arrivals {
		if n >= len(p.receipt.Outcomes) || p.receipt.Outcomes[n] == conversation.OutcomeDuplicate {
			continue
		}
		if press, ok := a.Content.(*conversation.ButtonPress); ok && a.Outcome == "" {
			i.Courtesies.Offer(courtesy.Courtesy{Kind: courtesy.Press, Integration: a.Integration.ID, Message: press.CallbackID, Trace: p.delivery.Trace})
		}
		c, ok := courtesyFor(a, p.receipt.Outcomes[n])
		if !ok || p.receipt.Paused[n] {
			continue
		}
		chat := chatKey(a)
		if _, seen := last[chat]; !seen {
			order = append(order, chat)
		} else if c.Kind == courtesy.Read {
			c.Kind = last[chat].Kind // an answer follows to an earlier one
		}
		last[chat] = c
	}
	for _, chat := range order {
		c := last[chat]
		c.Trace = p.delivery.Trace
		i.Courtesies.Offer(c)
	}
}

func courtesyFor(a conversation.Arrival, o conversation.Outcome) (courtesy.Courtesy, bool) {
	m := a.Message
	if m == nil || m.Echo {
		return courtesy.Courtesy{}, false
	}
	c := courtesy.Courtesy{Integration: a.Integration.ID, Address: m.Address, Message: m.MessageID}
	switch {
	case a.Integration.Platform == conversation.Telegram && o == conversation.OutcomeOpen:
		c.Kind = courtesy.Typing
	case a.Integration.Platform == conversation.WhatsApp && o == conversation.OutcomeOpen && m.MessageID != "":
		c.Kind = courtesy.ReadTyping
	case a.Integration.Platform == conversation.WhatsApp && o == conversation.OutcomeRecorded && m.MessageID != "":
		c.Kind = courtesy.Read
	default:
		return c, false
	}
	return c, true
}

func chatKey(a conversation.Arrival) string {
	m := a.Message
	if m.Address.Chat != nil {
		return string(a.Integration.ID) + " " + conversation.ChatScope(*m.Address.Chat)
	}
	return string(a.Integration.ID) + " " + m.Address.UserID + " " + m.Address.PhoneNumber
}
