package whatsapp

import (
	"encoding/json"
	"strings"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// identity is who a payload speaks of. Since April 2026 a phone number may be missing and the business-scoped user id
// stands alone (WhatsApp docs, Business-scoped user IDs, 7 May 2026).
type identity struct {
	userID, phone lenient.String
}

// newIdentity tells the two ids apart: a phone number has digits only, and at least one receiver has seen a BSUID in the
// phone number's place (channel notes 1.4).
func newIdentity(phone, userID lenient.String) identity {
	id := identity{userID: userID, phone: lenient.String(strings.TrimPrefix(string(phone), "+"))}
	if !digits(string(id.phone)) {
		if id.userID == "" {
			id.userID = phone
		}
		id.phone = ""
	}
	return id
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

func (i identity) known() bool { return i.userID != "" || i.phone != "" }

func (i identity) user() gateway.WhatsAppUser {
	return gateway.WhatsAppUser{UserID: lenient.ID(i.userID), PhoneNumber: lenient.ID(i.phone)}
}

// contacts finds the contact of a message by its ids. The first contact of a list is not the first message's sender.
type contacts map[lenient.String]*contact

func indexContacts(list []contact) contacts {
	index := make(contacts, 2*len(list))
	for i := range list {
		for _, id := range [...]lenient.String{list[i].WaID, list[i].UserID} {
			if id != "" {
				index[id] = &list[i]
			}
		}
	}
	return index
}

// sender completes an identity from its contact.
func (c contacts) sender(id identity) (identity, gateway.Sender) {
	found, ok := c[id.userID]
	if !ok {
		found, ok = c[id.phone]
	}
	s := gateway.Sender{}
	if ok {
		from := newIdentity(found.WaID, found.UserID)
		if id.userID == "" {
			id.userID = from.userID
		}
		if id.phone == "" {
			id.phone = from.phone
		}
		s.DisplayName = lenient.Label(found.Profile.Name)
		s.Username = lenient.Label(lenient.String(strings.TrimPrefix(string(found.Profile.Username), "@")))
	}
	s.UserID, s.PhoneNumber = lenient.ID(id.userID), lenient.ID(id.phone)
	return id, s
}

// system decodes a notice about a user. A changed number remakes the BSUID, so that one notice may bring two changes;
// wa_id and user_id in it are the new ones. It reports false if nothing changed.
func (d *decoder) system(e gateway.Event, m *message) bool {
	if m.System == nil {
		return false
	}
	before := len(d.events)
	old := newIdentity(m.From, m.FromUserID)
	current := newIdentity(firstOf(m.System.WaID, m.System.NewWaID), m.System.UserID)
	previous := firstOf(m.System.PreviousUserID, differing(old.userID, current.userID), namedInBody(m.System))
	if change := changed(gateway.ChangePhoneNumber, old.phone, current.phone); change != nil {
		e.Content = change
		d.emit(e)
		e.Key = lenient.Key("msg", string(m.ID), "user_id")
	}
	if change := changed(gateway.ChangeUserID, previous, current.userID); change != nil {
		e.Content = change
		d.emit(e)
	}
	return len(d.events) > before
}

func changed(kind gateway.IdentityChangeKind, from, to lenient.String) *gateway.IdentityChange {
	if from == "" || to == "" || from == to {
		return nil
	}
	return &gateway.IdentityChange{Kind: kind, OldID: lenient.ID(from), NewID: lenient.ID(to)}
}

// namedInBody finds the old BSUID of a user_changed_user_id notice, which has no field for it in Meta's page of 7 May
// 2026: "User <name> changed from <old> to <new>". The name is the customer's to choose, so only the last words count,
// and only if the new id among them is the one that the notice states.
func namedInBody(s *system) lenient.String {
	const words = "changed from "
	at := strings.LastIndex(string(s.Body), words)
	if s.Type != "user_changed_user_id" || at < 0 {
		return ""
	}
	from, to, _ := strings.Cut(string(s.Body[at+len(words):]), " to ")
	if to != string(s.UserID) || strings.ContainsRune(from, ' ') {
		return ""
	}
	return lenient.String(from)
}

func firstOf(values ...lenient.String) lenient.String {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func differing(s, from lenient.String) lenient.String {
	if s == from {
		return ""
	}
	return s
}

// userIDUpdate decodes the separate webhook of the same news. Without a number in it the news concerns every number of
// the account, because a BSUID belongs to the whole portfolio.
func (d *decoder) userIDUpdate(raw json.RawMessage) {
	var u userIDUpdate
	_ = lenient.Unmarshal(raw, &u)
	e := gateway.Event{Kind: "user_id_update", Key: lenient.Digest(raw), OccurTime: lenient.Time(u.Timestamp, d.now)}
	change := changed(gateway.ChangeUserID, u.UserID.Previous, u.UserID.Current)
	if change == nil || d.routed || d.foreign != "" {
		if change != nil {
			e.Content = change
		}
		d.emit(e)
		return
	}
	for _, integration := range d.scope.Integrations() {
		e.Integration, e.Content = integration, change
		d.events = append(d.events, e)
	}
}
