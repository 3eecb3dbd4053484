// Package whatsapp decodes the webhooks of Meta's WhatsApp Business Platform. It reads every entry, change, message and
// status of a body; what it does not know is recorded by Meta's own word for it and never an error.
package whatsapp

import (
	"encoding/json"
	"time"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// kindUnknown stands where Meta gave no word.
const kindUnknown = "unknown"

// Decode returns the events of a verified body in its order, at least one. Returns gateway.ErrMalformedBody if it is not
// JSON and gateway.ErrBodyTooLarge if it holds more than gateway.MaxEvents.
func Decode(body []byte, scope gateway.Scope, now time.Time) ([]gateway.Event, error) {
	var e envelope
	if err := lenient.Unmarshal(body, &e); err != nil {
		return nil, gateway.ErrMalformedBody
	}
	d := &decoder{scope: scope, now: now}
	for _, entry := range e.Entry {
		for _, c := range entry.Changes {
			d.change(c)
			if d.full {
				return nil, gateway.ErrBodyTooLarge
			}
		}
	}
	if len(d.events) == 0 {
		d.integration = scope.Account()
		d.record(kindUnknown, lenient.Digest(body))
	}
	return d.events, nil
}

type decoder struct {
	scope  gateway.Scope
	now    time.Time
	events []gateway.Event
	full   bool

	// Whose change is being read.
	integration gateway.IntegrationID
	foreign     string
	routed      bool
	contacts    contacts
}

func (d *decoder) change(c change) {
	var v value
	if len(c.Value) > 0 {
		_ = lenient.Unmarshal(c.Value, &v) // valid JSON, for the whole body is.
	}
	if len(d.events)+v.size()+1 > gateway.MaxEvents {
		d.full = true
		return
	}
	d.route(v.Metadata.PhoneNumberID)
	before := len(d.events)
	switch c.Field {
	case "messages":
		d.contacts = indexContacts(v.Contacts)
		d.each(v.Messages, d.message)
		d.each(v.Statuses, d.status)
		d.each(v.Errors, d.failure)
	case "smb_message_echoes":
		d.each(v.MessageEchoes, d.echo)
	case "user_id_update":
		d.each(v.UserIDUpdates, d.userIDUpdate)
	}
	if len(d.events) == before {
		d.record(word(c.Field), lenient.Digest(append([]byte(c.Field+"\n"), c.Value...)))
	}
}

// route finds whose change it is. News without a number concerns the account.
func (d *decoder) route(phoneNumberID lenient.String) {
	d.integration, d.foreign, d.routed = d.scope.Account(), "", false
	if phoneNumberID == "" {
		return
	}
	d.integration, d.routed = d.scope.Number(string(phoneNumberID))
	if !d.routed {
		d.foreign = lenient.ID(phoneNumberID)
	}
}

func (d *decoder) each(elements []json.RawMessage, decode func(json.RawMessage)) {
	for _, raw := range elements {
		decode(raw)
	}
}

// emit adds an event. Content is kept only when it is known for whom it is.
func (d *decoder) emit(e gateway.Event) {
	e.Integration, e.ForeignNumber = d.integration, d.foreign
	if !d.routed {
		e.Content = nil
	}
	d.events = append(d.events, e)
}

func (d *decoder) record(kind, key string) {
	d.emit(gateway.Event{Kind: kind, Key: key})
}

func (d *decoder) failure(raw json.RawMessage) {
	d.record("errors", lenient.Digest(raw))
}

// word bounds one of Meta's words and gives the lack of one a name.
func word(s lenient.String, more ...lenient.String) string {
	const longest = 64
	if s == "" {
		return kindUnknown
	}
	kind := lenient.Clip(s, longest)
	for _, m := range more {
		if m != "" {
			kind += "." + lenient.Clip(m, longest)
		}
	}
	return kind
}
