package graph

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/detail"
)

// content makes the part of messages[] that depends on the kind, and the
// message as the phone shows it.
func (a *API) content(u simulator.Utterance) (map[string]any, simulator.Message, error) {
	m := simulator.Message{
		ID: newID(), Chat: u.Chat(), Direction: simulator.Inbound, Kind: u.Kind, Text: u.Text,
		ReplyTo: u.ReplyTo, Forwarded: u.Forwarded, State: simulator.StateSent, Time: u.Time,
	}
	if m.Kind == "" {
		m.Kind = "text"
	}
	if u.Staff {
		m.Direction, m.State, m.Author = simulator.Outbound, simulator.StateDelivered, &simulator.Author{Staff: true}
	}
	if m.Kind == "unsupported" {
		m.Text, m.Detail = "", u.Text
		return unsupported(u.Text), m, nil
	}
	kind, part, err := a.part(u, &m)
	if err != nil {
		return nil, m, err
	}
	return map[string]any{"type": kind, kind: part}, m, nil
}

// unsupported is what arrives of a kind that Meta does not hand on: an edit, a
// poll, a GIF …
func unsupported(kind string) map[string]any {
	content := map[string]any{"type": "unsupported", "errors": []any{map[string]any{
		"code": 131051, "title": "Message type unknown", "message": "Message type unknown",
		"error_data": map[string]string{"details": "Message type is currently not supported."},
	}}}
	if kind != "" {
		content["unsupported"] = map[string]string{"type": kind}
	}
	return content
}

func (a *API) part(u simulator.Utterance, m *simulator.Message) (kind string, part any, err error) {
	switch m.Kind {
	case "text":
		if u.Text == "" {
			return "", nil, errors.New("text is empty")
		}
		return "text", map[string]string{"body": u.Text}, nil
	case "image", "audio", "voice", "video", "document", "sticker":
		return a.filePart(u, m)
	}
	if m.Kind == "contact" && len(u.Body) == 0 {
		u.Body = ownContact(u, "")
	}
	if len(u.Body) == 0 || !json.Valid(u.Body) {
		return "", nil, fmt.Errorf("kind %q needs a body", m.Kind)
	}
	if m.Content, m.Detail = u.Body, detail.Of(u.Body); m.Detail == m.Text {
		m.Detail = ""
	}
	switch m.Kind {
	case "contact":
		return "contacts", u.Body, nil
	case "flow":
		return "interactive", formReply(u.Body), nil
	default:
		return m.Kind, u.Body, nil
	}
}

// formReply is what a customer filled into a flow: JSON as text within JSON.
func formReply(filled json.RawMessage) any {
	return map[string]any{"type": "nfm_reply", "nfm_reply": map[string]string{
		"name": "flow", "body": "Sent", "response_json": string(filled),
	}}
}

// ownContact is the customer's own card. What was asked for says so (origin;
// WhatsApp docs, Business-scoped user IDs, 7 May 2026).
func ownContact(u simulator.Utterance, origin string) json.RawMessage {
	phone := u.From
	if !digits(phone) {
		phone = "573" + tail(digitsOf(u.From), 9)
	}
	card := map[string]any{
		"name":   map[string]string{"formatted_name": u.Name, "first_name": u.Name},
		"phones": []map[string]string{{"phone": "+" + phone, "wa_id": phone, "type": "CELL"}},
	}
	if origin != "" {
		card["origin"] = origin
		card["vcard"] = "BEGIN:VCARD\nVERSION:3.0\nFN:" + u.Name + "\nTEL;type=CELL:+" + phone + "\nEND:VCARD"
	}
	raw, err := json.Marshal([]any{card})
	if err != nil { // plain text only
		panic(err)
	}
	return raw
}

func (a *API) filePart(u simulator.Utterance, m *simulator.Message) (kind string, part any, err error) {
	file, ok := a.shelf.Get(u.Media)
	if !ok {
		return "", nil, errors.New("media is no id of POST /simulator/v1/media")
	}
	m.Media = &file.Media
	return wireKind(m.Kind), fileFields(m.Kind, u.Text, file.Media), nil
}

// wireKind is Meta's word for a kind of file: a voice note is an audio.
func wireKind(kind string) string {
	if kind == "voice" {
		return "audio"
	}
	return kind
}

func fileFields(kind, caption string, file simulator.Media) map[string]any {
	fields := map[string]any{"id": file.ID, "mime_type": file.MIMEType, "sha256": base64Of(file.SHA256)}
	if caption != "" {
		fields["caption"] = caption
	}
	switch kind {
	case "voice":
		fields["voice"] = true
	case "audio":
		fields["voice"] = false
	case "document":
		fields["filename"] = file.Filename
	case "sticker":
		fields["animated"] = false
	}
	return fields
}
