// Package whatsapp sends through Meta's WhatsApp Cloud API: POST /{version}/{phone number id}/messages with a bearer token.
//
// Meta's answer to a send means accepted, not delivered; failures may come later in a delivery report, with the same codes.
// There is no idempotency key: a call whose outcome is unknown is in doubt until a report echoes biz_opaque_callback_data.
// Facts are from Meta's "Cloud API" pages "Messages", "Business-scoped user IDs", "Typing indicators" and "Error codes" as
// read on 2026-11-23.
package whatsapp

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// Defaults of a Config.
const (
	DefaultBaseURL = "https://graph.facebook.com"
	DefaultVersion = "v26.0"
)

// Config says where the Graph API is.
type Config struct {
	// BaseURL has no version in it; empty for Meta's.
	BaseURL string
	// Version of the Graph API; empty for DefaultVersion.
	Version string
	// HTTP lends its transport; nil for the default one.
	HTTP *http.Client
	// Media keeps the files to send; nil for none.
	Media channels.MediaLibrary
}

// Client is a channels.Sender, channels.ReadMarker and channels.MediaSource for any number of numbers. It is safe for concurrent use.
type Client struct {
	root  string
	wire  *wire.Caller
	files *wire.Downloader
	media channels.MediaLibrary
}

// New returns a client.
func New(c Config) *Client {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if c.Version == "" {
		c.Version = DefaultVersion
	}
	if c.Media == nil {
		c.Media = channels.NoMedia{}
	}
	return &Client{
		root:  strings.TrimRight(c.BaseURL, "/") + "/" + strings.Trim(c.Version, "/") + "/",
		wire:  wire.NewCaller(c.HTTP),
		files: wire.NewDownloader(wire.DownloaderConfig{Base: c.BaseURL, Hosts: mediaHosts(), Redirects: true}),
		media: c.Media,
	}
}

// Send implements channels.Sender. A message is in doubt if Meta's answer did not come or cannot be read. Stored files are
// handed over first; what fails there is no message yet.
func (c *Client) Send(ctx context.Context, credentials channels.Credentials, r channels.SendRequest) (string, error) {
	body, err := newMessage(r, func(m channels.Media) (file, error) { return c.place(ctx, credentials, m) })
	if err != nil {
		return "", err
	}
	response, err := c.post(ctx, credentials, body)
	if err != nil {
		return "", err
	}
	var accepted struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(response, &accepted); err != nil || len(accepted.Messages) == 0 || accepted.Messages[0].ID == "" {
		return "", unreadable(http.StatusOK)
	}
	return accepted.Messages[0].ID, nil
}

// MarkRead implements channels.ReadMarker. With typing, "typing …" shows until we send, at most 25 s.
func (c *Client) MarkRead(ctx context.Context, credentials channels.Credentials, messageID string, typing bool) error {
	body := readMark{Product: product, Status: "read", MessageID: messageID}
	if typing {
		body.Typing = &typingIndicator{Type: "text"}
	}
	_, err := c.post(ctx, credentials, body)
	return err
}

// Reach asks for the number itself, which changes nothing.
func (c *Client) Reach(ctx context.Context, credentials channels.Credentials) error {
	if err := usable(credentials); err != nil {
		return err
	}
	response, err := c.wire.Get(ctx, call(credentials, c.root+credentials.PhoneNumberID+"?fields=id"))
	if err != nil {
		return err
	}
	if failure := failureOf(response, credentials.AccessToken); failure != nil {
		return failure
	}
	return nil
}

// post calls the messages endpoint and returns the body of a success.
func (c *Client) post(ctx context.Context, credentials channels.Credentials, body any) ([]byte, error) {
	if err := usable(credentials); err != nil {
		return nil, err
	}
	request := call(credentials, c.root+credentials.PhoneNumberID+"/messages")
	request.Body = body
	response, err := c.wire.Post(ctx, request)
	if err != nil {
		return nil, err
	}
	if failure := failureOf(response, credentials.AccessToken); failure != nil {
		return nil, failure
	}
	return response.Body, nil
}

// usable refuses credentials that cannot be right before anybody is asked with them.
func usable(credentials channels.Credentials) error {
	if validNumberID(credentials.PhoneNumberID) && validToken(credentials.AccessToken) {
		return nil
	}
	return &channels.SendError{
		Class: channels.ClassStopIntegration, Message: "the phone number id or the access token is missing or malformed",
	}
}

// validNumberID keeps anything but digits out of the path.
func validNumberID(id string) bool {
	return id != "" && strings.Trim(id, "0123456789") == ""
}

// validToken keeps anything out of the header that would break it.
func validToken(token string) bool {
	return token != "" && strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
