package whatsapp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// attached is a file in a message, in a header or in a template's parameter: one field is set, named as its kind.
type attached struct {
	Image    *file `json:"image,omitempty"`
	Video    *file `json:"video,omitempty"`
	Audio    *file `json:"audio,omitempty"`
	Document *file `json:"document,omitempty"`
	Sticker  *file `json:"sticker,omitempty"`
}

// file is known to Meta by ID, or fetched by it from Link.
type file struct {
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// placer makes Meta know a file.
type placer func(channels.Media) (file, error)

// attach returns a file with its kind's name on the wire. A voice note is an audio file: Meta shows Ogg with Opus as one.
func attach(m channels.Media, caption string, place placer) (kind string, a attached, err error) {
	f, err := place(m)
	if err != nil {
		return "", attached{}, err
	}
	f.Caption = caption
	if m.Kind != channels.MediaDocument {
		f.Filename = ""
	}
	switch m.Kind {
	case channels.MediaImage:
		return "image", attached{Image: &f}, nil
	case channels.MediaVideo:
		return "video", attached{Video: &f}, nil
	case channels.MediaAudio, channels.MediaVoice:
		return "audio", attached{Audio: &f}, nil
	case channels.MediaSticker:
		return "sticker", attached{Sticker: &f}, nil
	case channels.MediaDocument:
		return "document", attached{Document: &f}, nil
	default:
		return "", attached{}, &channels.SendError{Class: channels.ClassInvalid, Message: "WhatsApp has no such kind of file"}
	}
}

// place hands a stored file over to Meta; one with an address stays where it is.
func (c *Client) place(ctx context.Context, credentials channels.Credentials, m channels.Media) (file, error) {
	if m.ID == "" {
		return file{Link: m.URL, Filename: m.Filename}, nil
	}
	if err := usable(credentials); err != nil {
		return file{}, err
	}
	stored, content, err := c.media.Open(ctx, m.ID)
	if err != nil {
		return file{}, wire.FileFailure(err)
	}
	defer func() { _ = content.Close() }()
	name := cmp.Or(m.Filename, stored.Filename)
	id, err := c.upload(ctx, credentials, wire.File{
		Field: "file", Name: name, MIMEType: stored.MIMEType, Size: stored.SizeBytes, Content: content,
	})
	return file{ID: id, Filename: name}, err
}

// upload makes Meta keep a file and returns its id there. Whatever happens, no message went out yet: nothing is in doubt.
func (c *Client) upload(ctx context.Context, credentials channels.Credentials, f wire.File) (string, error) {
	response, err := c.wire.Upload(ctx, wire.Upload{
		URL: c.root + credentials.PhoneNumberID + "/media", Header: bearer(credentials),
		Fields: map[string]string{"messaging_product": product, "type": f.MIMEType}, File: f,
		Secrets: []string{credentials.AccessToken},
	})
	if err != nil {
		return "", certain(err)
	}
	if failure := failureOf(response, credentials.AccessToken); failure != nil {
		return "", certain(failure)
	}
	var kept struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(response.Body, &kept) != nil || kept.ID == "" {
		return "", certain(unreadable(response.Status))
	}
	return kept.ID, nil
}

// certain turns a doubt about an upload into a failure that may be tried again.
func certain(err error) error {
	e, ok := errors.AsType[*channels.SendError](err)
	if !ok || e.Class != channels.ClassInDoubt {
		return err
	}
	again := *e
	again.Class = channels.ClassRetry
	return &again
}
