package telegram_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

func fmtInt(i int) string { return strconv.Itoa(i) }

func TestTypingGoesToTheTopic(t *testing.T) {
	t.Parallel()

	server, client := setup(t, ok("true"))
	chat := channels.TelegramChat{ID: chatID, ThreadID: 7, BusinessConnectionID: "bc1"}
	require.NoError(t, client.Typing(t.Context(), credentials(), chat))
	require.JSONEq(t, `{"chat_id":8123456789,"message_thread_id":7,"business_connection_id":"bc1","action":"typing"}`, string(server.Only(t).Raw))
}

func TestAnswerButton(t *testing.T) {
	t.Parallel()

	t.Run("WithoutTextIsSilent", func(t *testing.T) {
		t.Parallel()
		server, client := setup(t, ok("true"))
		require.NoError(t, client.AnswerButton(t.Context(), credentials(), "4382", ""))
		require.JSONEq(t, `{"callback_query_id":"4382"}`, string(server.Only(t).Raw))
	})
	t.Run("TextIsCutAt200", func(t *testing.T) {
		t.Parallel()
		server, client := setup(t, ok("true"))
		require.NoError(t, client.AnswerButton(t.Context(), credentials(), "4382", strings.Repeat("ñ", 300)))
		require.Equal(t, strings.Repeat("ñ", 199)+"…", server.Only(t).Body["text"])
	})
	t.Run("ForgottenPressIsNoError", func(t *testing.T) {
		t.Parallel()
		_, client := setup(t, refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid"))
		require.NoError(t, client.AnswerButton(t.Context(), credentials(), "4382", ""))
	})
}

func TestSetWebhookRegistersSecretAndKinds(t *testing.T) {
	t.Parallel()

	server, client := setup(t, ok("true"))
	require.NoError(t, client.SetWebhook(t.Context(), credentials(), "https://bot.example.com/hook/", "A-secret_1"))
	call := server.Only(t)
	require.Equal(t, "/bot7000000001:CANARY_token-0/setWebhook", call.Path)
	require.JSONEq(t, `{"url":"https://bot.example.com/hook/","secret_token":"A-secret_1","max_connections":40,"allowed_updates":
		["message","edited_message","callback_query","my_chat_member","message_reaction","business_connection","business_message","edited_business_message","deleted_business_messages"]}`,
		string(call.Raw))
}

func TestSetWebhookNeverShowsTheSecret(t *testing.T) {
	t.Parallel()

	_, client := setup(t, refused(400, "Bad Request: secret token A-secret_1 contains unallowed characters"))
	err := client.SetWebhook(t.Context(), credentials(), "https://bot.example.com/", "A-secret_1")
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class)
	require.NotContains(t, err.Error(), "A-secret_1")
}

func TestWebhookInfoAndMeAreRead(t *testing.T) {
	t.Parallel()

	_, client := setup(t, ok(`{"url":"https://bot.example.com/","has_custom_certificate":false,"pending_update_count":12,
		"last_error_date":1795000900,"last_error_message":"Wrong response","max_connections":40,"allowed_updates":["message"]}`))
	info, err := client.WebhookInfo(t.Context(), credentials())
	require.NoError(t, err)
	require.Equal(t, channels.WebhookInfo{
		URL: "https://bot.example.com/", PendingUpdateCount: 12, LastErrorTime: time.Unix(1795000900, 0).UTC(),
		LastErrorMessage: "Wrong response", MaxConnections: 40, AllowedUpdates: []string{"message"},
	}, info)

	_, client = setup(t, ok(`{"id":7000000001,"is_bot":true,"first_name":"KnoBot","username":"knobot_test_bot"}`))
	me, err := client.Me(t.Context(), credentials())
	require.NoError(t, err)
	require.Equal(t, channels.Bot{ID: 7000000001, Username: "knobot_test_bot"}, me)

	_, client = setup(t, ok(`"nonsense"`))
	_, err = client.Me(t.Context(), credentials())
	require.Error(t, err)
	_, err = client.WebhookInfo(t.Context(), credentials())
	require.Error(t, err)
}

func TestDeleteWebhookKeepsWhatWaits(t *testing.T) {
	t.Parallel()

	server, client := setup(t, ok("true"))
	require.NoError(t, client.DeleteWebhook(t.Context(), credentials()))
	require.JSONEq(t, `{}`, string(server.Only(t).Raw))
}
