package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/faults"
)

// Say lets a customer write, or staff with the company's own phone.
func (a *API) Say(u simulator.Utterance) (simulator.Message, error) {
	n, m, p, err := a.utter(u)
	if err != nil {
		return simulator.Message{}, err
	}
	for range max(u.Copies, 1) {
		a.deliver(n, p)
	}
	return m, nil
}

// SayTogether delivers what several customers of one number say in a single
// body, as Meta does under load (up to 1,000 updates).
func (a *API) SayTogether(all []simulator.Utterance) ([]simulator.Message, error) {
	said := make([]simulator.Message, 0, len(all))
	var n simulator.Number
	var together parcel
	for _, u := range all {
		number, m, p, err := a.utter(u)
		if err != nil {
			return said, err
		}
		if n.ID != "" && n.ID != number.ID {
			return said, errors.New("a batch belongs to one number")
		}
		n = number
		said = append(said, m)
		together.add(p)
	}
	if len(said) == 0 {
		return said, nil
	}
	together.name = fmt.Sprintf("batch of %d", len(said))
	a.deliver(n, together)
	return said, nil
}

// utter puts the customer's message on the phone and makes its webhook.
func (a *API) utter(u simulator.Utterance) (simulator.Number, simulator.Message, parcel, error) {
	fail := func(err error) (simulator.Number, simulator.Message, parcel, error) {
		return simulator.Number{}, simulator.Message{}, parcel{}, err
	}
	n, err := a.number(u.Account)
	if err != nil {
		return fail(err)
	}
	if u, err = complete(u, n); err != nil {
		return fail(err)
	}
	build := a.content
	if amends(u) {
		build = a.amend
	}
	content, m, err := build(u)
	if err != nil {
		return fail(err)
	}
	if err = addExtra(content, u); err != nil {
		return fail(err)
	}
	info := a.store.Open(u.Chat(), u.Person)
	p := parcel{chat: m.Chat}
	id := newID()
	if !amends(u) {
		if m, err = a.store.Add(m); err != nil {
			return fail(err)
		}
		id = m.ID
		p.acknowledged = func() { a.store.Advance(m.Chat, m.ID, simulator.StateDelivered, "") }
	}
	content["id"], content["timestamp"] = id, stamp(u.Time)
	p.name, p.values = "message "+id, []value{a.messageValue(n, info, u, content)}
	return n, m, p, nil
}

// complete fills in what an utterance may leave out.
func complete(u simulator.Utterance, n simulator.Number) (simulator.Utterance, error) {
	u.Platform, u.Account, u.From = simulator.WhatsApp, n.ID, strings.TrimPrefix(u.From, "+")
	if isUserID(u.From) {
		u.UserID = u.From
	} else if !digits(u.From) || len(u.From) < 5 {
		return u, errors.New("from must be a phone number, digits with the country code, or a business-scoped user id")
	}
	if u.Group != nil || u.Business != "" || u.Album != "" {
		return u, errors.New("groups, business connections and albums are Telegram's")
	}
	if u.Time.IsZero() {
		u.Time = time.Now()
	}
	return u, nil
}

// messageValue is the value that tells of a message.
func (a *API) messageValue(n simulator.Number, info simulator.ChatInfo, u simulator.Utterance, content map[string]any) value {
	if fault, ok := a.desk.Faults.Take(faults.Person, info.Chat, u.Kind, true); ok && fault.Kind == simulator.FaultPhoneMissing {
		info.HidePhone = true
	}
	if info.UserID == "" {
		info.UserID = userID(info.Chat)
		_, _ = a.store.Update(info.Chat, func(known *simulator.ChatInfo) { known.UserID = info.UserID })
	}
	v := a.value(n)
	v.Contacts = []contact{contactOf(info)}
	if u.Kind == "system" {
		v.Contacts = nil
	}
	if context := contextOf(n, u, content["context"]); len(context) > 0 {
		content["context"] = context
	}
	phone, id := "from", "from_user_id"
	if u.Staff {
		content["from"] = n.DisplayPhone
		phone, id = "to", "to_user_id"
	}
	content[id] = info.UserID
	if visible := visiblePhone(info); visible != "" {
		content[phone] = visible
	}
	raw, err := json.Marshal(content)
	if err != nil { // content is made of plain values and valid JSON
		panic(err)
	}
	if u.Staff {
		v.field, v.MessageEchoes = "smb_message_echoes", []json.RawMessage{raw}
	} else {
		v.Messages = []json.RawMessage{raw}
	}
	return v
}

// contextOf says what a message replies to and that it was forwarded.
func contextOf(n simulator.Number, u simulator.Utterance, extra any) map[string]any {
	context, _ := extra.(map[string]any)
	if context == nil {
		context = map[string]any{}
	}
	if u.ReplyTo != "" {
		context["from"], context["id"] = n.DisplayPhone, u.ReplyTo
	}
	if u.Forwarded {
		context["forwarded"] = true
	}
	return context
}

// addExtra joins the members that the caller wants beside the content.
func addExtra(content map[string]any, u simulator.Utterance) error {
	if len(u.Extra) == 0 {
		return nil
	}
	var extra map[string]any
	if json.Unmarshal(u.Extra, &extra) != nil {
		return errors.New("extra must be an object")
	}
	maps.Copy(content, extra)
	return nil
}

// Press lets a customer press a button or choose a row.
func (a *API) Press(p simulator.Press) (simulator.Message, error) {
	pressed, err := a.store.Message(p.Chat, p.Message)
	if err != nil {
		return simulator.Message{}, err
	}
	for _, row := range pressed.Buttons {
		for _, b := range row {
			if b.Data == p.Data {
				return a.Say(a.reply(p, pressed, b))
			}
		}
	}
	return simulator.Message{}, fmt.Errorf("%w: the message has no button with that data", chat.ErrNoMessage)
}

// reply is what a press says.
func (a *API) reply(p simulator.Press, pressed simulator.Message, b simulator.Button) simulator.Utterance {
	u := simulator.Utterance{
		Platform: p.Platform, Account: p.Account, From: p.User, Kind: "interactive",
		Text: b.Text, ReplyTo: p.Message, Copies: p.Copies,
	}
	switch {
	case b.Request == "contact":
		info, _ := a.store.Info(p.Chat)
		u.Kind, u.Text, u.Name = "contacts", "", info.Name
		u.Body = ownContact(u, "contact_request")
	case pressed.Kind == "template":
		u.Kind, u.Body = "button", encode(map[string]string{"payload": b.Data, "text": b.Text})
	default:
		u.Body = replyBody(pressed, b)
	}
	return u
}

func replyBody(pressed simulator.Message, b simulator.Button) json.RawMessage {
	kind, reply := "button_reply", map[string]string{"id": b.Data, "title": b.Text}
	if pressed.Menu != "" {
		kind = "list_reply"
		if b.Description != "" {
			reply["description"] = b.Description
		}
	}
	return encode(map[string]any{"type": kind, kind: reply})
}

// encode writes plain values, which always works.
func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// userID is a customer's business-scoped id: the same for the same customer
// and number, another one for every other number.
func userID(c simulator.Chat) string {
	sum := sha256.Sum256([]byte(c.Account + "/" + c.User))
	return fmt.Sprintf("CO.%020d", binary.BigEndian.Uint64(sum[:]))
}
