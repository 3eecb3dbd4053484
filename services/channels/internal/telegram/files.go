package telegram

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// fileMethod returns the method that shows a kind of file and the name of its parameter.
func fileMethod(k channels.MediaKind) (method, field string, err error) {
	switch k {
	case channels.MediaImage:
		return "sendPhoto", "photo", nil
	case channels.MediaVideo:
		return "sendVideo", "video", nil
	case channels.MediaAudio:
		return "sendAudio", "audio", nil
	case channels.MediaVoice:
		return "sendVoice", "voice", nil
	case channels.MediaDocument:
		return "sendDocument", "document", nil
	case channels.MediaSticker:
		return "sendSticker", "sticker", nil
	default:
		return "", "", &channels.SendError{Class: channels.ClassInvalid, Message: "Telegram has no such kind of file"}
	}
}

// sendFile sends a message with a file: a stored one as a form with its bytes, else by the address that Telegram fetches.
func (c *Client) sendFile(ctx context.Context, credentials channels.Credentials, m message, f channels.Media) (json.RawMessage, error) {
	method, field, err := fileMethod(f.Kind)
	if err != nil {
		return nil, err
	}
	params, err := parameters(m)
	if err != nil {
		return nil, err
	}
	if f.ID != "" {
		return c.upload(ctx, credentials, method, field, params, f)
	}
	if params[field], err = json.Marshal(f.URL); err != nil {
		return nil, notJSON()
	}
	return c.call(ctx, credentials, method, params)
}

func (c *Client) upload(
	ctx context.Context, credentials channels.Credentials, method, field string, params map[string]json.RawMessage, f channels.Media,
) (json.RawMessage, error) {
	if err := usable(credentials); err != nil {
		return nil, err
	}
	stored, content, err := c.media.Open(ctx, f.ID)
	if err != nil {
		return nil, wire.FileFailure(err)
	}
	defer func() { _ = content.Close() }()
	secrets := []string{credentials.BotToken}
	response, err := c.wire.Upload(ctx, wire.Upload{
		URL: c.url(credentials, method), Fields: form(params), Secrets: secrets,
		File: wire.File{
			Field: field, Name: cmp.Or(f.Filename, stored.Filename), MIMEType: stored.MIMEType, Size: stored.SizeBytes, Content: content,
		},
	})
	if err != nil {
		return nil, err
	}
	return result(response, secrets)
}

// parameters takes a message apart.
func parameters(m message) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, notJSON()
	}
	out := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &out) != nil {
		return nil, notJSON()
	}
	return out, nil
}

func notJSON() error {
	return &channels.SendError{Class: channels.ClassInvalid, Message: "the message cannot be written as JSON"}
}

// form writes parameters as the fields of a form: texts as they are, all else as JSON.
func form(params map[string]json.RawMessage) map[string]string {
	fields := make(map[string]string, len(params))
	for name, raw := range params {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		fields[name] = text
	}
	return fields
}
