package graph

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/knobot/knobot/simulator"
)

// content makes the part of messages[] that depends on the kind, and the
// message as the phone shows it.
func (a *API) content(u simulator.Utterance) (map[string]any, simulator.Message, error) {
	m := simulator.Message{
		ID: newID(), Chat: u.Chat(), Direction: simulator.Inbound, Kind: u.Kind, Text: u.Text,
		ReplyTo: u.ReplyTo, State: simulator.StateSent, Time: u.Time,
	}
	if m.Kind == "" {
		m.Kind = "text"
	}
	kind, part, err := a.part(u, &m)
	if err != nil {
		return nil, m, err
	}
	return map[string]any{"type": kind, kind: part}, m, nil
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
	default:
		if len(u.Body) == 0 || !json.Valid(u.Body) {
			return "", nil, fmt.Errorf("kind %q needs a body", m.Kind)
		}
		return m.Kind, u.Body, nil
	}
}

func (a *API) filePart(u simulator.Utterance, m *simulator.Message) (kind string, part any, err error) {
	file, ok := a.shelf.Get(u.Media)
	if !ok {
		return "", nil, errors.New("media is no id of POST /simulator/v1/media")
	}
	m.Media = &file.Media
	fields := map[string]any{"id": file.ID, "mime_type": file.MIMEType, "sha256": base64Hash(file.Content)}
	if u.Text != "" {
		fields["caption"] = u.Text
	}
	kind = m.Kind
	switch m.Kind {
	case "voice":
		kind, fields["voice"] = "audio", true
	case "audio":
		fields["voice"] = false
	case "document":
		fields["filename"] = file.Filename
	case "sticker":
		fields["animated"] = false
	}
	return kind, fields, nil
}
