package system

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Paths of the webhook routes.
const (
	WhatsAppPath = "/api/integrations/webhooks/whatsapp/"
	TelegramPath = "/api/integrations/webhooks/telegram/"
)

// Sign returns the X-Hub-Signature-256 header of a body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// PostWhatsApp posts a signed body and returns the status.
func (s *System) PostWhatsApp(ctx context.Context, body []byte) (int, error) {
	status, _, err := Post(ctx, http.DefaultClient, s.HTTP+WhatsAppPath, body,
		http.Header{"X-Hub-Signature-256": {Sign(s.Credentials.AppSecret, body)}})
	return status, err
}

// PostTelegram posts a body with the bot's secret and returns the status.
func (s *System) PostTelegram(ctx context.Context, body []byte) (int, error) {
	status, _, err := Post(ctx, http.DefaultClient, s.HTTP+TelegramPath, body,
		http.Header{"X-Telegram-Bot-Api-Secret-Token": {s.Credentials.SecretToken}})
	return status, err
}

// Post posts JSON with further headers and returns status and body.
func Post(ctx context.Context, client *http.Client, url string, body []byte, header http.Header) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, string(text), err
}

// WhatsAppText is the webhook of one text message.
func WhatsAppText(phoneNumberID, from, messageID, text string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages",`+
		`"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":%q},`+
		`"contacts":[{"profile":{"name":"Ana"},"wa_id":%q}],"messages":[{"from":%q,"id":%q,"timestamp":%q,"type":"text",`+
		`"text":{"body":%s}}]}}]}]}`, phoneNumberID, from, from, messageID, strconv.FormatInt(at.Unix(), 10), strconv.Quote(text))
}

// TelegramText is the update of one private text message.
func TelegramText(updateID, from int64, messageID int, text string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Ana"},`+
		`"chat":{"id":%d,"type":"private","first_name":"Ana"},"date":%d,"text":%s}}`,
		updateID, messageID, from, from, at.Unix(), strconv.Quote(text))
}
