// Package detail says in a few words what a message holds that is neither text
// nor file, for the phone and the transcript.
package detail

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxLength bounds what is shown of content that has no words of its own.
const maxLength = 160

// content names what is shown of the two platforms' kinds.
type content struct {
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
	Name      text     `json:"name"`
	Title     string   `json:"title"`
	Address   string   `json:"address"`
	Location  *content `json:"location"`

	Phone     string `json:"phone_number"`
	FirstName string `json:"first_name"`

	Items []struct {
		Product  string `json:"product_retailer_id"`
		Quantity int    `json:"quantity"`
	} `json:"product_items"`

	Emoji    string `json:"emoji"`
	Question string `json:"question"`
	Body     string `json:"body"`
	Text     string `json:"text"`
	Data     string `json:"data"`

	ButtonReply *content `json:"button_reply"`
	ListReply   *content `json:"list_reply"`
}

// text is a name, which WhatsApp writes as an object.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var object struct {
		Formatted string `json:"formatted_name"`
	}
	if json.Unmarshal(raw, &object) == nil {
		*t = text(object.Formatted)
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

type card struct {
	Name   text `json:"name"`
	Phones []struct {
		Phone string `json:"phone"`
	} `json:"phones"`
}

// Of describes the content of a message.
func Of(raw json.RawMessage) string {
	var cards []card
	if json.Unmarshal(raw, &cards) == nil && len(cards) > 0 {
		return clip(ofCards(cards))
	}
	var c content
	if json.Unmarshal(raw, &c) != nil {
		return clip(string(raw))
	}
	if words := c.words(); words != "" {
		return clip(words)
	}
	return clip(string(raw))
}

func (c content) words() string {
	switch {
	case c.Location != nil:
		return join(c.Title, c.Address, c.Location.words())
	case c.Latitude != nil && c.Longitude != nil:
		return join(string(c.Name), c.Address, fmt.Sprintf("%g, %g", *c.Latitude, *c.Longitude))
	case c.Phone != "":
		return join(c.FirstName, c.Phone)
	case len(c.Items) > 0:
		lines := make([]string, 0, len(c.Items))
		for _, item := range c.Items {
			lines = append(lines, fmt.Sprintf("%d × %s", item.Quantity, item.Product))
		}
		return join(append(lines, c.Text)...)
	case c.ButtonReply != nil:
		return c.ButtonReply.Title
	case c.ListReply != nil:
		return c.ListReply.Title
	default:
		return join(c.Question, c.Body, c.Text, c.Data, c.Emoji)
	}
}

func ofCards(cards []card) string {
	lines := make([]string, 0, len(cards))
	for _, c := range cards {
		line := []string{string(c.Name)}
		for _, p := range c.Phones {
			line = append(line, p.Phone)
		}
		lines = append(lines, join(line...))
	}
	return strings.Join(lines, "; ")
}

func join(parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, " · ")
}

func clip(s string) string {
	runes := []rune(s)
	if len(runes) <= maxLength {
		return s
	}
	return string(runes[:maxLength]) + "…"
}
