package ingest

import (
	"time"

	"github.com/knobot/knobot/services/conversation"
)

// arrival decides what is to be done about an event, as far as that can be said without the database.
func (i *Intake) arrival(e conversation.Event, ordinal int32, p conversation.Platform) conversation.Arrival {
	a := conversation.Arrival{
		Event: e, Ordinal: ordinal, StaleAfter: i.Settings.StaleAfter, Debounce: i.Settings.Debounce,
		StaffPause: i.Settings.StaffPause,
	}
	if e.ForeignNumber != "" {
		a.Event.Integration, a.Outcome = "", conversation.OutcomeForeignNumber
		return a
	}
	a.Integration = i.integration(e.Integration, p)
	override(&a.StaleAfter, a.Integration.StaleAfter)
	override(&a.Debounce, a.Integration.Debounce)
	override(&a.StaffPause, a.Integration.StaffPause)
	if a.Integration.Ignores() {
		a.Outcome = conversation.OutcomeIgnored
		return a
	}
	switch c := e.Content.(type) {
	case *conversation.InboundMessage:
		planMessage(&a, c)
	case *conversation.ButtonPress:
		planPress(&a, c)
	}
	return a
}

// integration falls back to an ordinary one: the gateway hears of a new integration at the same time, give or take.
func (i *Intake) integration(id conversation.IntegrationID, p conversation.Platform) conversation.Integration {
	if in, ok := i.Integrations.Get(id); ok {
		return in
	}
	return conversation.DefaultIntegration(id, p)
}

func override(d, own *time.Duration) {
	if own != nil {
		*d = *own
	}
}

// albumWait is how long the rest of an album is waited for: its parts come as messages of their own, and nothing says which is
// the last one.
const albumWait = time.Second

// planMessage leaves a group's talk among itself to the log: it is nobody's conversation with the company.
func planMessage(a *conversation.Arrival, m *conversation.InboundMessage) {
	if m.Sender.Bot || (m.Group && !m.Addressed) {
		return
	}
	if m.Kind == "" {
		m.Kind = conversation.KindUnsupported
	}
	a.Plan, a.Message = conversation.PlanMessage(m, a.Integration.Language), m
	if m.AlbumID != "" {
		a.Debounce = max(a.Debounce, albumWait)
	}
}

// planPress turns a press into the message that its label would be. Without an address there is nowhere to answer.
func planPress(a *conversation.Arrival, b *conversation.ButtonPress) {
	if b.Address == nil || b.Sender.Bot {
		return
	}
	a.Plan = conversation.PlanPress(b, a.Integration.Language)
	a.Message = &conversation.InboundMessage{
		MessageID: b.MessageID, Sender: b.Sender, Address: *b.Address, Kind: conversation.KindButtonReply, Text: b.Title,
		ButtonID: b.ButtonID, Group: b.Group, Addressed: true,
	}
}
