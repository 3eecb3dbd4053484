package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/services/channels"
)

// The checks of Inspect.
const (
	checkAPI     = "telegram.api"
	checkBot     = "telegram.bot"
	checkGroups  = "telegram.groups"
	checkWebhook = "telegram.webhook"
	checkUpdates = "telegram.allowed_updates"
	checkPending = "telegram.pending_updates"
	checkError   = "telegram.last_error"
	checkSecret  = "telegram.secret"
	checkClock   = "telegram.clock"
)

const (
	// route is the gateway's for Telegram.
	route = "/api/integrations/webhooks/telegram"
	// manyPending is more than a bot that answers has waiting.
	manyPending = 100
	// recent is how long an error is worth a look when nothing waits any more.
	recent = time.Hour

	setAgain = "knobot webhook set https://YOUR-HOST"
)

// CheckCredentials implements channels.CredentialChecker.
func (c *Client) CheckCredentials(ctx context.Context, credentials channels.Credentials) error {
	_, err := c.Me(ctx, credentials)
	return explained(err)
}

// explained turns Telegram's refusal of a token into what a person can mend; other errors stay as they are. The server answers
// 401 for a token that was revoked and 404 for one that never was (tdlib/telegram-bot-api, ClientManager.cpp, read 2026-11-23).
func explained(err error) error {
	e, ok := errors.AsType[*channels.SendError](err)
	if !ok || e.Code != http.StatusUnauthorized && e.Code != http.StatusNotFound {
		return err
	}
	return &channels.CredentialError{
		Reason: channels.ReasonBotTokenRefused, Problem: "Telegram knows no bot with this token (" + e.Message + ")",
		Cure: "ask @BotFather for it (/token), copy it whole, and enter it as telegram.bot_token",
	}
}

// Inspect asks Telegram about a bot and its webhook, and says what is wrong.
func (c *Client) Inspect(ctx context.Context, i channels.Integration) []doctor.Finding {
	me, date, err := c.me(ctx, i.Credentials())
	if wrong, ok := errors.AsType[*channels.CredentialError](explained(err)); ok {
		return []doctor.Finding{doctor.Fine(checkAPI, "Telegram answers"), doctor.Fail(checkBot, "%s", wrong.Problem).With("%s", wrong.Cure)}
	}
	if err != nil {
		return []doctor.Finding{silent(err, c.base)}
	}
	found := []doctor.Finding{
		doctor.Fine(checkAPI, "Telegram answers"), doctor.Fine(checkBot, "@%s, id %d", me.Username, me.ID), groups(me),
	}
	var info webhookInfo
	if err := c.get(ctx, i.Credentials(), "getWebhookInfo", &info); err != nil {
		found = append(found, doctor.Skip(checkWebhook, "Telegram does not show the webhook"))
	} else {
		found = append(found, info.findings(i, time.Now())...)
	}
	if !date.IsZero() {
		found = append(found, doctor.Clock(checkClock, "Telegram", time.Until(date)))
	}
	return found
}

// me also returns the time that Telegram's server says it is, zero if it does not.
func (c *Client) me(ctx context.Context, credentials channels.Credentials) (user, time.Time, error) {
	secrets := []string{credentials.BotToken}
	response, err := c.post(ctx, credentials, "getMe", struct{}{}, secrets)
	if err != nil {
		return user{}, time.Time{}, err
	}
	raw, err := result(response, secrets)
	if err != nil {
		return user{}, time.Time{}, err
	}
	var me user
	if json.Unmarshal(raw, &me) != nil {
		return user{}, time.Time{}, unreadable(response.Status)
	}
	date, _ := http.ParseTime(response.Header.Get("Date"))
	return me, date, nil
}

func silent(err error, base string) doctor.Finding {
	message := "Telegram does not answer"
	if e, ok := errors.AsType[*channels.SendError](err); ok {
		message = e.Message
	}
	return doctor.Fail(checkAPI, "%s", message).
		With("let this machine reach %s (name resolution, firewall, proxy), or mend TELEGRAM_API_URL", base)
}

func groups(me user) doctor.Finding {
	if me.ReadsGroups {
		return doctor.Fine(checkGroups, "privacy mode is off: it gets everything that is written in its groups")
	}
	return doctor.Fine(checkGroups, "privacy mode is on: in groups it gets commands, mentions and replies, which is what KnoBot answers")
}

// findings says what is wrong with a webhook.
func (w webhookInfo) findings(i channels.Integration, now time.Time) []doctor.Finding {
	if w.URL == "" {
		return []doctor.Finding{doctor.Fail(checkWebhook, "no webhook is set: Telegram keeps what customers write, for 24 hours").With(setAgain)}
	}
	return []doctor.Finding{w.address(), w.updates(), w.pending(), w.lastError(now), w.secret(i)}
}

func (w webhookInfo) address() doctor.Finding {
	if !strings.HasSuffix(strings.TrimRight(w.URL, "/"), route) {
		return doctor.Warn(checkWebhook, "Telegram posts to %s, which is not KnoBot's route: another program may use this bot", w.URL).
			With("%s, unless a proxy rewrites the path; one bot serves one program", setAgain)
	}
	return doctor.Fine(checkWebhook, "Telegram posts to %s (%s)", w.URL, w.IPAddress)
}

// updates looks for kinds that KnoBot acts upon and Telegram does not send. An absent list leaves out reactions alone
// (Bot API 10.1, WebhookInfo).
func (w webhookInfo) updates() doctor.Finding {
	missing := slices.DeleteFunc(allowedUpdates(), func(kind string) bool {
		if len(w.AllowedUpdates) == 0 {
			return kind != "message_reaction"
		}
		return slices.Contains(w.AllowedUpdates, kind)
	})
	switch {
	case slices.Contains(missing, "message"):
		return doctor.Fail(checkUpdates, "Telegram does not send messages: somebody set the webhook for other updates").With(setAgain)
	case len(missing) > 0:
		return doctor.Warn(checkUpdates, "Telegram does not send %s", strings.Join(missing, ", ")).With(setAgain)
	default:
		return doctor.Fine(checkUpdates, "Telegram sends every kind of update that KnoBot knows")
	}
}

func (w webhookInfo) pending() doctor.Finding {
	if w.PendingUpdateCount > manyPending {
		return doctor.Warn(checkPending, "%d updates wait at Telegram", w.PendingUpdateCount).
			With("start the gateway and conversation, and see telegram.last_error; Telegram drops what waited for 24 hours")
	}
	return doctor.Fine(checkPending, "%d updates wait at Telegram", w.PendingUpdateCount)
}

func (w webhookInfo) lastError(now time.Time) doctor.Finding {
	at := time.Unix(w.LastErrorDate, 0).UTC()
	switch {
	case w.LastErrorDate == 0:
		return doctor.Fine(checkError, "no delivery failed")
	case w.PendingUpdateCount > 0:
		return doctor.Fail(checkError, "deliveries fail, last at %s: %s", at.Format(time.RFC3339), w.LastErrorMessage).With("%s", w.cure())
	case now.Sub(at) < recent:
		return doctor.Warn(checkError, "a delivery failed at %s: %s", at.Format(time.RFC3339), w.LastErrorMessage).With("%s", w.cure())
	default:
		return doctor.Fine(checkError, "the last failure was at %s, and nothing waits", at.Format(time.RFC3339))
	}
}

// cure knows the failures of docs/telegram.md.
func (w webhookInfo) cure() string {
	switch {
	case w.refusedSecret():
		return setAgain + ": Telegram has another secret than KnoBot, or none"
	case strings.Contains(w.LastErrorMessage, "403"):
		return "the gateway takes webhooks from KNOBOT_TELEGRAM_CIDRS only: correct it, or name the proxy in KNOBOT_TRUSTED_PROXIES"
	case strings.Contains(w.LastErrorMessage, "404"):
		return setAgain + ", the address alone: KnoBot adds the path"
	case strings.Contains(w.LastErrorMessage, "503"):
		return "wait: the gateway had not heard from channels, or could not store; if it lasts, read their logs"
	case strings.Contains(w.LastErrorMessage, "certificate"), strings.Contains(w.LastErrorMessage, "SSL"):
		return "serve a valid certificate with its whole chain at the public address"
	default:
		return "let the public address lead to port 9000 of the gateway, and start both"
	}
}

func (w webhookInfo) refusedSecret() bool { return strings.Contains(w.LastErrorMessage, "401") }

// secret cannot be asked of Telegram; what it does with it tells.
func (w webhookInfo) secret(i channels.Integration) doctor.Finding {
	switch valid := len(i.ValidSecrets(channels.WebhookSecret)); {
	case w.refusedSecret() && w.PendingUpdateCount > 0:
		return doctor.Fail(checkSecret, "Telegram's posts are refused for their secret").With(setAgain)
	case valid > 1:
		return doctor.Fine(checkSecret, "a secret is set; %d older ones are valid for up to 24 hours", valid-1)
	default:
		return doctor.Fine(checkSecret, "a secret is set")
	}
}
