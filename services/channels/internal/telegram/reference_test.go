package telegram_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/reference"
	"github.com/knobot/knobot/services/channels/internal/telegram"
)

// recordedClasses says what each recorded refusal means as the answer to a send.
func recordedClasses() map[string]channels.SendError {
	refusal := func(class channels.Class, code int) channels.SendError {
		return channels.SendError{Class: class, Code: code}
	}
	unreadable := channels.SendError{Class: channels.ClassInDoubt}
	return map[string]channels.SendError{
		"err_400_button_data_invalid.json": refusal(channels.ClassInvalid, 400),
		"err_400_chat_not_found.json":      refusal(channels.ClassDropRecipient, 400),
		"err_400_file_too_big.json":        refusal(channels.ClassInvalid, 400),
		"err_400_migrated.json":            {Class: channels.ClassMigrated, Code: 400, MigrateToChatID: -1009876543210},
		"err_400_parse_entities.json":      refusal(channels.ClassInvalid, 400),
		"err_400_reply_not_found.json":     refusal(channels.ClassInvalid, 400),
		"err_400_text_empty.json":          refusal(channels.ClassInvalid, 400),
		"err_400_too_long.json":            refusal(channels.ClassInvalid, 400),
		"err_401.json":                     refusal(channels.ClassStopIntegration, 401),
		"err_403_blocked.json":             refusal(channels.ClassBotBlocked, 403),
		"err_403_deactivated.json":         refusal(channels.ClassBotBlocked, 403),
		"err_403_kicked.json":              refusal(channels.ClassBotBlocked, 403),
		"err_404_method.json":              refusal(channels.ClassStopIntegration, 404),
		"err_409_webhook_active.json":      refusal(channels.ClassStopIntegration, 409),
		"err_429.json":                     {Class: channels.ClassThrottled, Code: 429, RetryAfter: 7 * time.Second},
		"err_502_html.json":                unreadable,
		// As good as success for other methods, and so a success without a message id for this one.
		"err_400_not_modified.json":  unreadable,
		"err_400_query_too_old.json": unreadable,
		"get_file.json":              unreadable,
		"ok_true.json":               unreadable,
		"ok_webhook_set.json":        unreadable,
		"webhook_info.json":          unreadable,
		"webhook_info_failing.json":  unreadable,
	}
}

// listedClasses maps the classes of the reference's table of descriptions to ours.
func listedClasses() map[string]channels.Class {
	return map[string]channels.Class{
		// Once tried without the detail, or with nothing to leave out, these are our fault.
		"plain_once": channels.ClassInvalid, "split": channels.ClassInvalid, "never": channels.ClassInvalid,
		"noreply_once": channels.ClassInvalid, "nothread_once": channels.ClassInvalid,
		"drop": channels.ClassDropRecipient, "migrate": channels.ClassMigrated, "config": channels.ClassStopIntegration,
		"stop_contact": channels.ClassBotBlocked, "retry_after": channels.ClassThrottled, "retry": channels.ClassRetry,
		"ok": channels.ClassRetry, // no failure at all, and tested as that
	}
}

// listedExceptions are the descriptions that we judge otherwise.
func listedExceptions() map[string]channels.Class {
	return map[string]channels.Class{
		// A file that is too big is no reason to give up the customer.
		"Bad Request: file is too big": channels.ClassInvalid,
		// An answer to setWebhook: what is wrong is its argument, and the bot can send.
		"Bad Request: secret token contains unallowed characters": channels.ClassInvalid,
		// A gateway in front of the server said so: the server may have the message.
		"(any, body may be HTML)": channels.ClassInDoubt,
	}
}

// notDone are the recorded actions that sending does not use, with the reason.
func notDone() map[string]string {
	return map[string]string{
		"edit_text.json":         "answers are never edited",
		"send_markdownv2.json":   "texts go out as HTML of our own, which needs no escaping of ordinary marks",
		"send_rich_message.json": "younger than most clients; HTML says what answers need",
		"get_file.json":          "fetching a customer's file is compared where it is done",
	}
}

// recorded is what grammY put on the wire.
type recorded struct {
	HTTPMethod string         `json:"http_method"`
	Path       string         `json:"path"`
	Body       map[string]any `json:"body"`
}

// comparison is a call and what we send on top of the recorded body, without what is deleted for being nil.
type comparison struct {
	call  func(*testing.T, *telegram.Client)
	extra map[string]any
}

// comparisons are the recorded actions that KnoBot does.
func comparisons() map[string]comparison {
	type call func(*testing.T, *telegram.Client)
	send := func(r channels.SendRequest) call {
		return func(t *testing.T, c *telegram.Client) {
			t.Helper()
			_, err := c.Send(t.Context(), credentials(), r)
			require.NoError(t, err)
		}
	}
	reply := html("ok")
	reply.ReplyTo = "42"
	keyboard := html("Elige una opción:")
	keyboard.Part.Buttons = [][]channels.Button{{{ID: "opt1", Title: "Opción 1"}}, {{ID: "opt2", Title: "Opción 2"}}}

	// We always send HTML without link previews.
	always := map[string]any{"parse_mode": "HTML", "link_preview_options": map[string]any{"is_disabled": true}}
	return map[string]comparison{
		"send_text.json":            {send(html("Hola, ¿en qué puedo ayudarte?")), always},
		"send_html.json":            {send(html("<b>Hola</b> &amp; bienvenido")), nil},
		"send_reply.json":           {send(reply), always},
		"send_inline_keyboard.json": {send(keyboard), always},
		"chat_action_typing.json": {func(t *testing.T, c *telegram.Client) {
			t.Helper()
			require.NoError(t, c.Typing(t.Context(), credentials(), channels.TelegramChat{ID: chatID}))
		}, nil},
		"send_message_draft.json": {func(t *testing.T, c *telegram.Client) {
			t.Helper()
			part := telegram.Render(channels.Content{Markdown: "parcial"})[0]
			require.NoError(t, c.ShowDraft(t.Context(), credentials(), channels.TelegramChat{ID: chatID}, 1, part))
		}, nil},
		"answer_callback.json": {func(t *testing.T, c *telegram.Client) {
			t.Helper()
			require.NoError(t, c.AnswerButton(t.Context(), credentials(), "4382bfdwdsb323b2d9", "Recibido"))
		}, nil},
		// We never drop what waits, and say which kinds we take.
		"set_webhook.json": {func(t *testing.T, c *telegram.Client) {
			t.Helper()
			require.NoError(t, c.SetWebhook(t.Context(), credentials(), "https://bot.example.com/webhooks/telegram", "A-secret_1"))
		}, map[string]any{"drop_pending_updates": nil, "allowed_updates": []any{
			"message", "edited_message", "callback_query", "my_chat_member", "message_reaction", "business_connection", "business_message", "edited_business_message", "deleted_business_messages",
		}}},
		"delete_webhook.json": {func(t *testing.T, c *telegram.Client) {
			t.Helper()
			require.NoError(t, c.DeleteWebhook(t.Context(), credentials()))
		}, map[string]any{"drop_pending_updates": nil}},
		"get_webhook_info.json": {func(t *testing.T, c *telegram.Client) {
			t.Helper()
			_, err := c.WebhookInfo(t.Context(), credentials())
			require.NoError(t, err)
		}, nil},
	}
}

// TestBodiesEqualTheRecordedOnes compares with another client's, kind by kind.
func TestBodiesEqualTheRecordedOnes(t *testing.T) {
	t.Parallel()

	known, skipped := comparisons(), notDone()
	for _, file := range reference.Glob(t, "telegram/outbound/grammy/*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			if reason, ok := skipped[filepath.Base(file)]; ok {
				t.Skip(reason)
			}
			c, ok := known[filepath.Base(file)]
			require.True(t, ok, "a new recording: compare with it, or say why we do not do that")
			var want recorded
			reference.Load(t, file, &want)
			for name, value := range c.extra {
				want.Body[name] = value
				if value == nil {
					delete(want.Body, name)
				}
			}
			server, client := setup(t, sentMessage())
			c.call(t, client)
			got := server.Only(t)
			require.Equal(t, want.HTTPMethod, got.Method)
			require.Equal(t, want.Path[len("/bot<token>"):], got.Path[len("/bot7000000001:CANARY_token-0"):])
			body, err := json.Marshal(want.Body)
			require.NoError(t, err)
			require.JSONEq(t, string(body), string(got.Raw))
		})
	}
}
