package graph

import (
	"encoding/json"

	"github.com/knobot/knobot/simulator"
)

// value is the part of a webhook that belongs to one number.
type value struct {
	field         string
	Product       string            `json:"messaging_product"`
	Metadata      metadata          `json:"metadata"`
	Contacts      []contact         `json:"contacts,omitempty"`
	Messages      []json.RawMessage `json:"messages,omitempty"`
	MessageEchoes []json.RawMessage `json:"message_echoes,omitempty"`
	UserIDUpdates []userIDUpdate    `json:"user_id_update,omitempty"`
	Statuses      []statusValue     `json:"statuses,omitempty"`
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
	return value{
		field: "messages", Product: "whatsapp",
		Metadata: metadata{DisplayPhone: n.DisplayPhone, PhoneNumberID: n.ID},
	}
}

// payload wraps values into one webhook body, one change each.
func payload(n simulator.Number, values ...value) []byte {
	changes := make([]change, 0, len(values))
	for _, v := range values {
		changes = append(changes, change{Value: v, Field: v.field})
	}
	body, err := json.Marshal(envelope{
		Object: "whatsapp_business_account", Entry: []entry{{ID: n.BusinessID, Changes: changes}},
	})
	if err != nil { // values hold valid JSON only
		panic(err)
	}
	return body
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
