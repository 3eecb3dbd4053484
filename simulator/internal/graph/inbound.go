package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
)

// value is the part of a webhook that belongs to one number.
type value struct {
	Product  string            `json:"messaging_product"`
	Metadata metadata          `json:"metadata"`
	Contacts []contact         `json:"contacts,omitempty"`
	Messages []json.RawMessage `json:"messages,omitempty"`
	Statuses []statusValue     `json:"statuses,omitempty"`
}

type metadata struct {
	DisplayPhone  string `json:"display_phone_number"`
	PhoneNumberID string `json:"phone_number_id"`
}

type contact struct {
	Profile profile `json:"profile"`
	WaID    string  `json:"wa_id,omitempty"`
	UserID  string  `json:"user_id,omitempty"`
}

type profile struct {
	Name     string `json:"name"`
	Username string `json:"username,omitempty"`
}

type envelope struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

type entry struct {
	ID      string   `json:"id"`
	Changes []change `json:"changes"`
}

type change struct {
	Value value  `json:"value"`
	Field string `json:"field"`
}

func (a *API) value(n simulator.Number) value {
	return value{Product: "whatsapp", Metadata: metadata{DisplayPhone: n.DisplayPhone, PhoneNumberID: n.ID}}
}

// payload wraps values into one webhook body, one change each.
func payload(n simulator.Number, values ...value) []byte {
	changes := make([]change, 0, len(values))
	for _, v := range values {
		changes = append(changes, change{Value: v, Field: "messages"})
	}
	body, err := json.Marshal(envelope{
		Object: "whatsapp_business_account", Entry: []entry{{ID: n.BusinessID, Changes: changes}},
	})
	if err != nil { // values hold valid JSON only
		panic(err)
	}
	return body
}

// Say lets a customer write.
func (a *API) Say(u simulator.Utterance) (simulator.Message, error) {
	n, m, v, err := a.utter(u)
	if err != nil {
		return simulator.Message{}, err
	}
	for range max(u.Copies, 1) {
		a.deliver(n, m.Chat, "message "+m.ID, payload(n, v), func() { a.delivered(m) })
	}
	return m, nil
}

// SayTogether delivers what several customers of one number say in a single
// body, as Meta does under load (up to 1,000 updates).
func (a *API) SayTogether(all []simulator.Utterance) ([]simulator.Message, error) {
	said := make([]simulator.Message, 0, len(all))
	values := make([]value, 0, len(all))
	var n simulator.Number
	for _, u := range all {
		number, m, v, err := a.utter(u)
		if err != nil {
			return said, err
		}
		if n.ID != "" && n.ID != number.ID {
			return said, errors.New("a batch belongs to one number")
		}
		n = number
		said, values = append(said, m), append(values, v)
	}
	if len(said) == 0 {
		return said, nil
	}
	a.deliver(n, said[0].Chat, fmt.Sprintf("batch of %d", len(said)), payload(n, values...), func() {
		for _, m := range said {
			a.delivered(m)
		}
	})
	return said, nil
}

func (a *API) delivered(m simulator.Message) {
	a.store.Advance(m.Chat, m.ID, simulator.StateDelivered, "")
}

// utter puts the customer's message on the phone and makes its webhook value.
func (a *API) utter(u simulator.Utterance) (simulator.Number, simulator.Message, value, error) {
	fail := func(err error) (simulator.Number, simulator.Message, value, error) {
		return simulator.Number{}, simulator.Message{}, value{}, err
	}
	n, err := a.number(u.Account)
	if err != nil {
		return fail(err)
	}
	u.Platform, u.Account, u.From = simulator.WhatsApp, n.ID, strings.TrimPrefix(u.From, "+")
	if !digits(u.From) || len(u.From) < 5 {
		return fail(errors.New("from must be a phone number, digits with the country code"))
	}
	if u.UserID == "" {
		u.UserID = userID(u.Chat())
	}
	if u.Time.IsZero() {
		u.Time = time.Now()
	}
	content, m, err := a.content(u)
	if err != nil {
		return fail(err)
	}
	info := a.store.Open(u.Chat(), u.Person)
	if m, err = a.store.Add(m); err != nil {
		return fail(err)
	}
	v := a.value(n)
	v.Contacts = []contact{contactOf(info)}
	v.Messages = []json.RawMessage{messageValue(n, info, m, content)}
	return n, m, v, nil
}

// messageValue is messages[] of the webhook.
func messageValue(n simulator.Number, info simulator.ChatInfo, m simulator.Message, content map[string]any) json.RawMessage {
	content["id"], content["timestamp"] = m.ID, stamp(m.Time)
	content["from_user_id"] = info.UserID
	if phone := visiblePhone(info); phone != "" {
		content["from"] = phone
	}
	if m.ReplyTo != "" {
		content["context"] = map[string]string{"from": n.DisplayPhone, "id": m.ReplyTo}
	}
	raw, err := json.Marshal(content)
	if err != nil { // content is made of plain values and valid JSON
		panic(err)
	}
	return raw
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
				return a.Say(simulator.Utterance{
					Platform: p.Platform, Account: p.Account, From: p.User, Kind: "interactive",
					Text: b.Text, ReplyTo: p.Message, Copies: p.Copies, Body: replyBody(pressed, b),
				})
			}
		}
	}
	return simulator.Message{}, fmt.Errorf("%w: the message has no button with that data", chat.ErrNoMessage)
}

func replyBody(pressed simulator.Message, b simulator.Button) json.RawMessage {
	kind, reply := "button_reply", map[string]string{"id": b.Data, "title": b.Text}
	if pressed.Menu != "" {
		kind = "list_reply"
		if b.Description != "" {
			reply["description"] = b.Description
		}
	}
	raw, err := json.Marshal(map[string]any{"type": kind, kind: reply})
	if err != nil {
		panic(err)
	}
	return raw
}

func contactOf(info simulator.ChatInfo) contact {
	return contact{
		Profile: profile{Name: info.Name, Username: info.Username},
		WaID:    visiblePhone(info), UserID: info.UserID,
	}
}

func visiblePhone(info simulator.ChatInfo) string {
	if info.HidePhone || !digits(info.User) {
		return ""
	}
	return info.User
}

// userID is a customer's business-scoped id: the same for the same customer
// and number, another one for every other number.
func userID(c simulator.Chat) string {
	sum := sha256.Sum256([]byte(c.Account + "/" + c.User))
	return fmt.Sprintf("CO.%020d", binary.BigEndian.Uint64(sum[:]))
}
