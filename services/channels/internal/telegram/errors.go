package telegram

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// answer is how the Bot API says yes or no.
type answer struct {
	OK          *bool           `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter      int   `json:"retry_after"`
		MigrateToChatID int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// read returns the result of a call or what its failure means. An answer that is not the Bot API's own says nothing about
// the message if it comes from a failing server; any other kind comes from something that refused to pass the call on.
func read(r wire.Response, secrets []string) (json.RawMessage, *channels.SendError) {
	var a answer
	err := json.Unmarshal(r.Body, &a)
	switch {
	case err == nil && a.OK != nil && *a.OK:
		return a.Result, nil
	case err == nil && a.OK != nil && harmless(a.Description):
		return nil, nil
	case err == nil && a.OK != nil:
		return nil, refusal(a, r, secrets)
	case r.Status/100 == 2 || r.Status/100 == 5:
		return nil, unreadable(r.Status)
	default:
		return nil, &channels.SendError{Class: channels.ClassRetry, Message: "the Bot API answered " + statusText(r.Status)}
	}
}

// harmless reports refusals that are as good as success: a button press answered too late, an edit without a change.
func harmless(description string) bool {
	return contains(description, "query is too old") || contains(description, "message is not modified")
}

func refusal(a answer, r wire.Response, secrets []string) *channels.SendError {
	if a.Code == 0 {
		a.Code = r.Status
	}
	e := &channels.SendError{
		Class: classify(a), Code: a.Code, Message: wire.Explanation(a.Description, secrets...),
		MigrateToChatID: a.Parameters.MigrateToChatID,
	}
	if e.Class == channels.ClassThrottled {
		const longest = 24 * 3600
		e.RetryAfter = max(time.Duration(min(a.Parameters.RetryAfter, longest))*time.Second, wire.RetryAfter(r.Header))
	}
	return e
}

// classify says what a refusal means. The server maps most failures to 400 with a text, so the text must be looked at
// (tdlib/telegram-bot-api, Client.cpp and ClientManager.cpp, read 2026-11-23); what each asks us to do is our judgement.
func classify(a answer) channels.Class {
	switch {
	case a.Parameters.MigrateToChatID != 0:
		return channels.ClassMigrated
	case a.Code == http.StatusTooManyRequests:
		return channels.ClassThrottled
	case a.Code == http.StatusForbidden: // blocked, deactivated, kicked, not a member, group deleted, no right to write
		return channels.ClassBotBlocked
	case a.Code == http.StatusUnauthorized, a.Code == http.StatusNotFound, // token revoked; token malformed
		a.Code == http.StatusConflict, a.Code == http.StatusMisdirectedRequest: // two pollers; server refuses this bot
		return channels.ClassStopIntegration
	case a.Code == http.StatusBadGateway, a.Code == http.StatusGatewayTimeout: // said in front of a server that gave no answer
		return channels.ClassInDoubt
	case a.Code >= http.StatusInternalServerError: // said by the server itself: it did not take the message
		return channels.ClassRetry
	case unreachable(a.Description):
		return channels.ClassDropRecipient
	default:
		return channels.ClassInvalid
	}
}

// unreachable reports refusals of the chat rather than of the message.
func unreachable(description string) bool {
	for _, text := range [...]string{
		"chat not found", "user not found", "PEER_ID_INVALID", "have no rights to send", "not enough rights", "CHAT_WRITE_FORBIDDEN",
		"TOPIC_CLOSED", "business connection not found", "BUSINESS_CONNECTION_INVALID", "BUSINESS_PEER_INVALID",
	} {
		if contains(description, text) {
			return true
		}
	}
	return false
}

// isAbout reports a 400 with a text.
func isAbout(e *channels.SendError, text string) bool {
	return e.Code == http.StatusBadRequest && contains(e.Message, text)
}

func contains(description, text string) bool {
	return strings.Contains(strings.ToLower(description), strings.ToLower(text))
}

// unreadable is an answer from which it cannot be told whether Telegram took the message.
func unreadable(status int) *channels.SendError {
	return &channels.SendError{Class: channels.ClassInDoubt, Message: "the Bot API answered " + statusText(status) + " without saying more"}
}

func statusText(status int) string {
	return strconv.Itoa(status) + " " + http.StatusText(status)
}
