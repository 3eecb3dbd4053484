package telegram_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/telegram"
)

var (
	_ channels.Sender          = (*telegram.Client)(nil)
	_ channels.TypingIndicator = (*telegram.Client)(nil)
	_ channels.ButtonAnswerer  = (*telegram.Client)(nil)
	_ channels.WebhookManager  = (*telegram.Client)(nil)
)

const chatID = 8123456789

// credentials hold a canary: no error may quote it.
func credentials() channels.Credentials {
	return channels.Credentials{BotToken: "7000000001:CANARY_token-0"}
}

func ok(result string) fakeapi.Answer {
	return fakeapi.Answer{Status: 200, Body: `{"ok":true,"result":` + result + `}`}
}

func refused(status int, description string) fakeapi.Answer {
	return fakeapi.Answer{Status: status, Body: `{"ok":false,"error_code":` + fmtInt(status) + `,"description":"` + description + `"}`}
}

func sentMessage() fakeapi.Answer { return ok(`{"message_id":101,"date":1795001000}`) }

func html(text string) channels.SendRequest {
	return channels.SendRequest{
		Address: channels.Address{Telegram: &channels.TelegramChat{ID: chatID}}, Part: channels.Part{Text: text, Plain: "plain"},
	}
}

// setup starts a server and a client for it. What the client says is checked against the Bot API's specification.
func setup(t *testing.T, answers ...fakeapi.Answer) (*fakeapi.Server, *telegram.Client) {
	t.Helper()
	server := fakeapi.New(t, answers...)
	t.Cleanup(func() { checkCalls(t, server.Calls()) })
	return server, telegram.New(telegram.Config{BaseURL: server.URL + "/"})
}

// failure returns what a failed call means, after looking for the canary in every error of the chain.
func failure(t *testing.T, err error) *channels.SendError {
	t.Helper()
	var e *channels.SendError
	require.ErrorAs(t, err, &e)
	for ; err != nil; err = errors.Unwrap(err) {
		require.NotContains(t, err.Error(), "CANARY")
	}
	return e
}

func TestSendPutsEverythingInOneMessage(t *testing.T) {
	t.Parallel()

	server, client := setup(t, sentMessage())
	r := html("<b>Hola</b>")
	r.Address.Telegram = &channels.TelegramChat{ID: -1001234567890, ThreadID: 7, BusinessConnectionID: "bc1"}
	r.ReplyTo = "42"
	r.Part.Buttons = [][]channels.Button{{{ID: "sí", Title: "Sí"}, {ID: "no", Title: "No"}}, {}}
	id, err := client.Send(t.Context(), credentials(), r)
	require.NoError(t, err)
	require.Equal(t, "101", id)
	call := server.Only(t)
	require.Equal(t, "/bot7000000001:CANARY_token-0/sendMessage", call.Path)
	require.JSONEq(t, `{"chat_id":-1001234567890,"message_thread_id":7,"business_connection_id":"bc1","text":"<b>Hola</b>",
		"parse_mode":"HTML","link_preview_options":{"is_disabled":true},
		"reply_parameters":{"message_id":42,"allow_sending_without_reply":true},
		"reply_markup":{"inline_keyboard":[[{"text":"Sí","callback_data":"sí"},{"text":"No","callback_data":"no"}]]}}`, string(call.Raw))
}

func TestReachAsksForTheBotAndNothingElse(t *testing.T) {
	t.Parallel()
	server, client := setup(t, fakeapi.Answer{Status: 200, Body: `{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"b","username":"b"}}`})
	require.NoError(t, client.Reach(t.Context(), credentials()))
	require.True(t, strings.HasSuffix(server.Only(t).Path, "/getMe"))
	_, client = setup(t, fakeapi.Answer{Status: 502, Body: "<html>"})
	require.Equal(t, channels.ClassInDoubt, failure(t, client.Reach(t.Context(), credentials())).Class)
}

func TestQuoteThatIsNoMessageIDIsLeftOut(t *testing.T) {
	t.Parallel()

	server, client := setup(t, sentMessage())
	r := html("a")
	r.ReplyTo = "wamid.X"
	_, err := client.Send(t.Context(), credentials(), r)
	require.NoError(t, err)
	require.NotContains(t, server.Only(t).Body, "reply_parameters")
}

func TestRefusedDetailsAreLeftOutOnce(t *testing.T) {
	t.Parallel()

	const entities = "Bad Request: can't parse entities: Unsupported start tag"
	const thread = "Bad Request: message thread not found"
	full := html("<x>")
	full.Address.Telegram = &channels.TelegramChat{ID: chatID, ThreadID: 7}
	full.ReplyTo = "42"

	t.Run("FormattingGivesWayToPlainText", func(t *testing.T) {
		t.Parallel()
		server, client := setup(t, refused(400, entities), sentMessage())
		_, err := client.Send(t.Context(), credentials(), full)
		require.NoError(t, err)
		second := server.Calls()[1].Body
		require.Equal(t, "plain", second["text"])
		require.NotContains(t, second, "parse_mode")
		require.Contains(t, second, "message_thread_id")
	})
	t.Run("AllOfThemOneAfterTheOther", func(t *testing.T) {
		t.Parallel()
		server, client := setup(t, refused(400, entities), refused(400, thread),
			refused(400, "Bad Request: message to be replied not found"), sentMessage())
		_, err := client.Send(t.Context(), credentials(), full)
		require.NoError(t, err)
		require.Equal(t, map[string]any{
			"chat_id": float64(chatID), "text": "plain", "link_preview_options": map[string]any{"is_disabled": true},
		}, server.Calls()[3].Body)
	})
	t.Run("TheSameRefusalTwiceIsFinal", func(t *testing.T) {
		t.Parallel()
		server, client := setup(t, refused(400, entities))
		_, err := client.Send(t.Context(), credentials(), full)
		require.Equal(t, channels.ClassInvalid, failure(t, err).Class)
		require.Len(t, server.Calls(), 2)
	})
	t.Run("SecondTryMayBeInDoubt", func(t *testing.T) {
		t.Parallel()
		_, client := setup(t, refused(400, thread), fakeapi.Cut())
		_, err := client.Send(t.Context(), credentials(), full)
		require.Equal(t, channels.ClassInDoubt, failure(t, err).Class)
	})
}

func TestWhatCannotBeSentIsNotTried(t *testing.T) {
	t.Parallel()

	server, client := setup(t, sentMessage())
	button := func(id, title string) channels.SendRequest {
		r := html("a")
		r.Part.Buttons = [][]channels.Button{{{ID: id, Title: title}}}
		return r
	}
	template := html("a")
	template.Template = &channels.Template{Name: "es"}
	for name, r := range map[string]channels.SendRequest{
		"ButtonIDOf65Bytes":  button(strings.Repeat("ñ", 32)+"a", "A"),
		"ButtonWithoutID":    button("", "A"),
		"ButtonWithoutTitle": button("a", ""),
		"Template":           template,
		"NoChat":             {Part: channels.Part{Text: "a"}},
		"WhatsAppRecipient":  {Address: channels.Address{WhatsApp: &channels.WhatsAppUser{Phone: "1"}}},
	} {
		_, err := client.Send(t.Context(), credentials(), r)
		require.Equal(t, channels.ClassInvalid, failure(t, err).Class, name)
	}
	for _, token := range []string{"", "CANARY", "1:", ":CANARY", "1:CANARY/../x", "1:CANARY\n", "1:CANARY%zz", "1:CANARY?a=b"} {
		_, err := client.Send(t.Context(), channels.Credentials{BotToken: token}, html("a"))
		require.Equal(t, channels.ClassStopIntegration, failure(t, err).Class, token)
	}
	require.Empty(t, server.Calls())

	_, err := client.Send(t.Context(), credentials(), button(strings.Repeat("ñ", 32), "A"))
	require.NoError(t, err, "64 bytes")
}

// TestAnswersHaveTheirClass is our own table; TestRecordedResponsesHaveTheirClass has more.
func TestAnswersHaveTheirClass(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		answer fakeapi.Answer
		want   channels.SendError
	}{
		"Blocked":             {refused(403, "Forbidden: bot was blocked by the user"), channels.SendError{Class: channels.ClassBotBlocked, Code: 403}},
		"ChatNotFound":        {refused(400, "Bad Request: CHAT NOT FOUND"), channels.SendError{Class: channels.ClassDropRecipient, Code: 400}},
		"NoRight":             {refused(400, "Bad Request: not enough rights to send text messages to the chat"), channels.SendError{Class: channels.ClassDropRecipient, Code: 400}},
		"TooLong":             {refused(400, "Bad Request: message is too long"), channels.SendError{Class: channels.ClassInvalid, Code: 400}},
		"TokenRevoked":        {refused(401, "Unauthorized"), channels.SendError{Class: channels.ClassStopIntegration, Code: 401}},
		"TokenUnknown":        {refused(404, "Not Found"), channels.SendError{Class: channels.ClassStopIntegration, Code: 404}},
		"ServerError":         {refused(500, "Internal Server Error"), channels.SendError{Class: channels.ClassRetry, Code: 500}},
		"BadGatewayAsJSON":    {refused(502, "Bad Gateway"), channels.SendError{Class: channels.ClassInDoubt, Code: 502}},
		"BadGatewayAsHTML":    {fakeapi.Answer{Status: 502, Body: "<html>"}, channels.SendError{Class: channels.ClassInDoubt}},
		"NotFoundAsHTML":      {fakeapi.Answer{Status: 404, Body: "<html>"}, channels.SendError{Class: channels.ClassRetry}},
		"JSONOfSomeoneElse":   {fakeapi.Answer{Status: 500, Body: `{"error":"x"}`}, channels.SendError{Class: channels.ClassInDoubt}},
		"SentWithoutID":       {ok(`{}`), channels.SendError{Class: channels.ClassInDoubt}},
		"SentButUnreadable":   {fakeapi.Answer{Status: 200, Body: `{"ok":`}, channels.SendError{Class: channels.ClassInDoubt}},
		"TokenQuoted":         {refused(400, "Bad Request: /bot7000000001:CANARY_token-0/x"), channels.SendError{Class: channels.ClassInvalid, Code: 400}},
		"ThrottledByHeader":   {fakeapi.Answer{Status: 429, Header: map[string]string{"Retry-After": "33"}, Body: `{"ok":false,"error_code":429,"description":"Too Many Requests"}`}, channels.SendError{Class: channels.ClassThrottled, Code: 429, RetryAfter: 33 * time.Second}},
		"ThrottledByParam":    {fakeapi.Answer{Status: 429, Body: `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":198}}`}, channels.SendError{Class: channels.ClassThrottled, Code: 429, RetryAfter: 198 * time.Second}},
		"ThrottledForAnAge":   {fakeapi.Answer{Status: 429, Body: `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":99999999999999}}`}, channels.SendError{Class: channels.ClassThrottled, Code: 429, RetryAfter: 24 * time.Hour}},
		"MigratedKeeps64Bits": {fakeapi.Answer{Status: 400, Body: `{"ok":false,"error_code":400,"description":"x","parameters":{"migrate_to_chat_id":-1009876543210}}`}, channels.SendError{Class: channels.ClassMigrated, Code: 400, MigrateToChatID: -1009876543210}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := setup(t, c.answer)
			_, err := client.Send(t.Context(), credentials(), html("a"))
			got := failure(t, err)
			require.NotEmpty(t, got.Message)
			got.Message = ""
			require.Equal(t, c.want, *got)
		})
	}
}

func TestLostAnswersAreInDoubtAndUnsentOnesAreNot(t *testing.T) {
	t.Parallel()

	_, client := setup(t, fakeapi.Cut())
	_, err := client.Send(t.Context(), credentials(), html("a"))
	require.Equal(t, channels.ClassInDoubt, failure(t, err).Class)

	_, client = setup(t, fakeapi.Hang())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = client.Send(ctx, credentials(), html("a"))
	require.Equal(t, channels.ClassInDoubt, failure(t, err).Class)

	client = telegram.New(telegram.Config{BaseURL: "http://127.0.0.1:1"})
	_, err = client.Send(t.Context(), credentials(), html("a"))
	require.Equal(t, channels.ClassRetry, failure(t, err).Class)
}

func TestRenderPutsButtonsUnderTheLastPart(t *testing.T) {
	t.Parallel()

	buttons := [][]channels.Button{{{ID: "a", Title: "A"}}}
	parts := telegram.Render(channels.Content{Markdown: strings.Repeat("Una frase bastante larga. ", 300), Buttons: buttons})
	require.Len(t, parts, 2)
	require.Empty(t, parts[0].Buttons)
	require.Equal(t, buttons, parts[1].Buttons)
	require.Empty(t, telegram.Render(channels.Content{Markdown: " ", Buttons: buttons}))
}
