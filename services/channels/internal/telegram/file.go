package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// maxFileID is far more than any id has; Telegram gives no length.
const maxFileID = 512

// fileQuery is the parameters of getFile.
type fileQuery struct {
	FileID string `json:"file_id"`
}

// file is the result of getFile, as far as we use it.
type file struct {
	Size int64  `json:"file_size"`
	Path string `json:"file_path"`
}

// Fetch implements channels.MediaSource. getFile gives a path that lives for at least an hour; under it the file is had from
// an address with the bot's token in it, so no redirect is followed. Files of more than 20 MB are refused by Telegram.
func (c *Client) Fetch(ctx context.Context, credentials channels.Credentials, id string) (channels.ProviderFile, error) {
	if len(id) > maxFileID || !isPlain(id) {
		return channels.ProviderFile{}, channels.ErrMediaID
	}
	return wire.Fresh(func() (channels.ProviderFile, error) {
		found, err := c.locate(ctx, credentials, id)
		if err != nil {
			return channels.ProviderFile{}, err
		}
		return c.open(ctx, credentials, found)
	})
}

func (c *Client) locate(ctx context.Context, credentials channels.Credentials, id string) (file, error) {
	raw, err := c.call(ctx, credentials, "getFile", fileQuery{FileID: id})
	if failure, ok := errors.AsType[*channels.SendError](err); ok {
		return file{}, unlessGone(failure)
	}
	var found file
	if json.Unmarshal(raw, &found) != nil {
		return file{}, unreadable(http.StatusOK)
	}
	return found, nil
}

func (c *Client) open(ctx context.Context, credentials channels.Credentials, found file) (channels.ProviderFile, error) {
	if found.Size > channels.MaxMediaBytes {
		return channels.ProviderFile{}, channels.ErrMediaTooLarge
	}
	path, ok := cleanPath(found.Path)
	if !ok {
		return channels.ProviderFile{}, &channels.SendError{
			Class: channels.ClassRetry, Message: "the Bot API gave no path to download from (a server in local mode gives none)",
		}
	}
	response, err := c.files.Get(ctx, wire.Request{ //nolint:bodyclose // the caller's, or closed by Rest
		URL: c.base + "/file/bot" + credentials.BotToken + "/" + path, Secrets: []string{credentials.BotToken},
	})
	if err != nil {
		return channels.ProviderFile{}, err
	}
	if response.StatusCode != http.StatusOK {
		return channels.ProviderFile{}, notGiven(wire.Rest(response), credentials.BotToken)
	}
	return channels.ProviderFile{SizeBytes: max(found.Size, response.ContentLength), Body: response.Body}, nil
}

// notGiven says why an address gave no file. Unlike a method, a file that is not found says nothing about the token.
func notGiven(r wire.Response, token string) error {
	if r.Status == http.StatusNotFound || r.Status == http.StatusGone {
		return wire.ErrDeadLink
	}
	if _, failure := read(r, []string{token}); failure != nil {
		return unlessGone(failure)
	}
	return unreadable(r.Status)
}

// unlessGone takes a refusal that is not about the call itself for one of the file.
func unlessGone(e *channels.SendError) error {
	switch {
	case isAbout(e, "file is too big"):
		return channels.ErrMediaTooLarge
	case isAbout(e, "temporarily unavailable"): // the server says so of ids that are wrong, too
		return &channels.SendError{Class: channels.ClassRetry, Code: e.Code, Message: e.Message}
	case e.Class == channels.ClassRetry, e.Class == channels.ClassThrottled, e.Class == channels.ClassInDoubt,
		e.Class == channels.ClassStopIntegration:
		return e
	}
	return fmt.Errorf("%w: %s", channels.ErrMediaGone, e.Message)
}

// cleanPath escapes a path below the bot's folder, and refuses one that would lead out of it.
func cleanPath(path string) (string, bool) {
	segments := strings.Split(path, "/")
	for n, s := range segments {
		if s == "" || s == "." || s == ".." || strings.ContainsRune(s, '\\') {
			return "", false
		}
		segments[n] = url.PathEscape(s)
	}
	return strings.Join(segments, "/"), len(path) <= 1024
}
