// Package telegram sends through Telegram's Bot API and keeps the webhooks of bots.
//
// It is a client of our own. github.com/go-telegram/bot (v1.19.0) was tried first and does not let us keep our promises: it
// drops the HTTP status of what is not JSON and quotes its body in the error, so that "may have been sent" cannot be told
// from "refused", it reads answers without a bound, and it keeps ids of chats in an int.
//
// Facts are from https://core.telegram.org/bots/api (Bot API 10.1) and, where it is silent, from the source of
// tdlib/telegram-bot-api 10.0, as read on 2026-11-23.
package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/markup"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// DefaultBaseURL is Telegram's own server.
const DefaultBaseURL = "https://api.telegram.org"

// maxNotice is the longest text of answerCallbackQuery.
const maxNotice = 200

// Config says where the Bot API is.
type Config struct {
	// BaseURL is a server of the Bot API; empty for Telegram's.
	BaseURL string
	// HTTP lends its transport; nil for the default one.
	HTTP *http.Client
	// Media keeps the files to send; nil for none.
	Media channels.MediaLibrary
}

// Client is a channels.Sender, TypingIndicator, Drafter, ButtonAnswerer, WebhookManager and MediaSource for any number of bots. It
// is safe for concurrent use.
type Client struct {
	base  string
	wire  *wire.Caller
	files *wire.Downloader
	media channels.MediaLibrary
}

// New returns a client.
func New(c Config) *Client {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if c.Media == nil {
		c.Media = channels.NoMedia{}
	}
	return &Client{
		base: strings.TrimRight(c.BaseURL, "/"), wire: wire.NewCaller(c.HTTP),
		files: wire.NewDownloader(wire.DownloaderConfig{Base: c.BaseURL}), media: c.Media,
	}
}

// Typing implements channels.TypingIndicator.
func (c *Client) Typing(ctx context.Context, credentials channels.Credentials, chat channels.TelegramChat) error {
	_, err := c.call(ctx, credentials, "sendChatAction", chatAction{destination: destinationOf(chat), Action: "typing"})
	return err
}

// ShowDraft implements channels.Drafter. A text that Telegram cannot parse is shown without formatting.
func (c *Client) ShowDraft(ctx context.Context, credentials channels.Credentials, chat channels.TelegramChat, id int64, p channels.Part) error {
	d := draft{ChatID: chat.ID, MessageThreadID: chat.ThreadID, DraftID: id, Text: p.Text}
	if p.Text != p.Plain {
		d.ParseMode = "HTML"
	}
	_, err := c.call(ctx, credentials, "sendMessageDraft", d)
	if refusal, ok := errors.AsType[*channels.SendError](err); ok && d.ParseMode != "" && isAbout(refusal, "can't parse entities") {
		d.ParseMode, d.Text = "", p.Plain
		_, err = c.call(ctx, credentials, "sendMessageDraft", d)
	}
	return err
}

// AnswerButton implements channels.ButtonAnswerer.
func (c *Client) AnswerButton(ctx context.Context, credentials channels.Credentials, callbackID, text string) error {
	_, err := c.call(ctx, credentials, "answerCallbackQuery", callbackAnswer{
		CallbackQueryID: callbackID, Text: markup.Shorten(text, maxNotice),
	})
	return err
}

// SetWebhook implements channels.WebhookManager.
func (c *Client) SetWebhook(ctx context.Context, credentials channels.Credentials, url, secret string) error {
	_, err := c.call(ctx, credentials, "setWebhook", webhook{
		URL: url, SecretToken: secret, MaxConnections: maxConnections, AllowedUpdates: allowedUpdates(),
	}, secret)
	return err
}

// DeleteWebhook implements channels.WebhookManager. Updates that wait stay with Telegram.
func (c *Client) DeleteWebhook(ctx context.Context, credentials channels.Credentials) error {
	_, err := c.call(ctx, credentials, "deleteWebhook", struct{}{})
	return err
}

// WebhookInfo implements channels.WebhookManager.
func (c *Client) WebhookInfo(ctx context.Context, credentials channels.Credentials) (channels.WebhookInfo, error) {
	var info webhookInfo
	if err := c.get(ctx, credentials, "getWebhookInfo", &info); err != nil {
		return channels.WebhookInfo{}, err
	}
	out := channels.WebhookInfo{
		URL: info.URL, PendingUpdateCount: info.PendingUpdateCount, LastErrorMessage: info.LastErrorMessage,
		MaxConnections: info.MaxConnections, AllowedUpdates: info.AllowedUpdates,
	}
	if info.LastErrorDate != 0 {
		out.LastErrorTime = time.Unix(info.LastErrorDate, 0).UTC()
	}
	return out, nil
}

// Me implements channels.WebhookManager.
func (c *Client) Me(ctx context.Context, credentials channels.Credentials) (channels.Bot, error) {
	var me user
	if err := c.get(ctx, credentials, "getMe", &me); err != nil {
		return channels.Bot{}, err
	}
	return channels.Bot{ID: me.ID, Username: me.Username}, nil
}

// Reach asks for the bot itself, which changes nothing.
func (c *Client) Reach(ctx context.Context, credentials channels.Credentials) error {
	_, err := c.Me(ctx, credentials)
	return err
}

// get calls a method without parameters and decodes its result.
func (c *Client) get(ctx context.Context, credentials channels.Credentials, method string, result any) error {
	raw, err := c.call(ctx, credentials, method, struct{}{})
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, result) != nil {
		return unreadable(http.StatusOK)
	}
	return nil
}

// call calls a method and returns its result. Secrets beyond the token that are in params must be named.
func (c *Client) call(
	ctx context.Context, credentials channels.Credentials, method string, params any, secrets ...string,
) (json.RawMessage, error) {
	secrets = append(secrets, credentials.BotToken)
	response, err := c.post(ctx, credentials, method, params, secrets)
	if err != nil {
		return nil, err
	}
	return result(response, secrets)
}

func (c *Client) post(
	ctx context.Context, credentials channels.Credentials, method string, params any, secrets []string,
) (wire.Response, error) {
	if err := usable(credentials); err != nil {
		return wire.Response{}, err
	}
	return c.wire.Post(ctx, wire.Request{URL: c.url(credentials, method), Body: params, Secrets: secrets})
}

// url is a method's address, which holds the token.
func (c *Client) url(credentials channels.Credentials, method string) string {
	return c.base + "/bot" + credentials.BotToken + "/" + method
}

// result returns what a call gave.
func result(r wire.Response, secrets []string) (json.RawMessage, error) {
	out, failure := read(r, secrets)
	if failure != nil {
		return nil, failure
	}
	return out, nil
}

// usable refuses a token that cannot be right before it is put on the wire.
func usable(c channels.Credentials) error {
	if validToken(c.BotToken) {
		return nil
	}
	return &channels.SendError{Class: channels.ClassStopIntegration, Message: "the bot token is missing or malformed"}
}

// validToken keeps out of the path what would change it. A token is the bot's id, a colon and letters.
func validToken(token string) bool {
	id, rest, found := strings.Cut(token, ":")
	_, err := strconv.ParseUint(id, 10, 64)
	return found && err == nil && isPlain(rest)
}

// isPlain reports a text of the letters that tokens and ids of files consist of.
func isPlain(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-'
	}) < 0
}
