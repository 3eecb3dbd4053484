package whatsapp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// mediaHosts are where Meta keeps customers' files. Addresses of them come in answers of the Graph API; an answer that names
// another host is not believed, because the access token goes with the request.
func mediaHosts() []string {
	return []string{"lookaside.fbsbx.com", "fbsbx.com", "*.fbcdn.net", "*.whatsapp.net", "*.facebook.com"}
}

// mediaLink is the answer to GET /{media-id}.
type mediaLink struct {
	URL      string      `json:"url"`
	MIMEType string      `json:"mime_type"`
	SHA256   string      `json:"sha256"`
	Size     json.Number `json:"file_size"` // a string in Meta's examples, a number in its text
}

// Fetch implements channels.MediaSource. Meta gives an address that lives for 5 minutes and needs the token; the id lives for
// 7 days ("Media", page of 2025-12-11). A 404 there means that a new address is due.
func (c *Client) Fetch(ctx context.Context, credentials channels.Credentials, id string) (channels.ProviderFile, error) {
	if !validNumberID(id) || len(id) > maxMediaID {
		return channels.ProviderFile{}, channels.ErrMediaID
	}
	return wire.Fresh(func() (channels.ProviderFile, error) {
		link, err := c.locate(ctx, credentials, id)
		if err != nil {
			return channels.ProviderFile{}, err
		}
		return c.open(ctx, credentials, link)
	})
}

const maxMediaID = 64

// locate asks for the address of a file. With phone_number_id Meta checks that the file belongs to the number.
func (c *Client) locate(ctx context.Context, credentials channels.Credentials, id string) (mediaLink, error) {
	if err := usable(credentials); err != nil {
		return mediaLink{}, err
	}
	query := url.Values{"phone_number_id": {credentials.PhoneNumberID}}
	response, err := c.wire.Get(ctx, call(credentials, c.root+id+"?"+query.Encode()))
	if err != nil {
		return mediaLink{}, err
	}
	if failure := failureOf(response, credentials.AccessToken); failure != nil {
		return mediaLink{}, unlessGone(failure)
	}
	var link mediaLink
	if json.Unmarshal(response.Body, &link) != nil || link.URL == "" {
		return mediaLink{}, unreadable(response.Status)
	}
	return link, nil
}

func (c *Client) open(ctx context.Context, credentials channels.Credentials, link mediaLink) (channels.ProviderFile, error) {
	size, _ := link.Size.Int64() // 0 when not stated
	if size > channels.MaxMediaBytes {
		return channels.ProviderFile{}, channels.ErrMediaTooLarge
	}
	response, err := c.files.Get(ctx, call(credentials, link.URL)) //nolint:bodyclose // the caller's, or closed by Rest
	if err != nil {
		return channels.ProviderFile{}, err
	}
	if response.StatusCode != http.StatusOK {
		return channels.ProviderFile{}, notGiven(wire.Rest(response), credentials.AccessToken)
	}
	return channels.ProviderFile{
		MIMEType: link.MIMEType, SHA256: link.SHA256, SizeBytes: max(size, response.ContentLength), Body: response.Body,
	}, nil
}

// notGiven says why an address gave no file. 403 and 410 are what caches in front of the files say of an old signature.
func notGiven(r wire.Response, secret string) error {
	failure := failureOf(r, secret)
	switch {
	case r.Status == http.StatusTooManyRequests:
		return &channels.SendError{
			Class: channels.ClassThrottled, Message: "the Graph API answered " + statusText(r.Status), RetryAfter: wire.RetryAfter(r.Header),
		}
	case failure != nil && (failure.Class == channels.ClassStopIntegration || failure.Class == channels.ClassThrottled):
		return failure
	case r.Status == http.StatusNotFound, r.Status == http.StatusForbidden, r.Status == http.StatusGone:
		return wire.ErrDeadLink
	case failure != nil:
		return unlessGone(failure)
	}
	return unreadable(r.Status)
}

// unlessGone takes a refusal that is not about the call itself for one of the file: the id is unknown, too old, or of another
// number (code 100), or Meta could not get it from the customer's phone (131052).
func unlessGone(e *channels.SendError) error {
	switch e.Class {
	case channels.ClassRetry, channels.ClassThrottled, channels.ClassPairThrottled, channels.ClassInDoubt, channels.ClassStopIntegration:
		return e
	default:
		return fmt.Errorf("%w: %s (code %d)", channels.ErrMediaGone, e.Message, e.Code)
	}
}

// call is a request with the token.
func call(credentials channels.Credentials, address string) wire.Request {
	return wire.Request{
		URL:     address,
		Header:  bearer(credentials),
		Secrets: []string{credentials.AccessToken},
	}
}

func bearer(c channels.Credentials) http.Header {
	return http.Header{"Authorization": {"Bearer " + c.AccessToken}}
}
