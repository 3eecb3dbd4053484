package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/provider"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// TestJudgeGrammyReadsTheSimulatorsUpdates gives every kind of update of the simulator to grammY: it takes each, and the handler
// of its kind is called.
func TestJudgeGrammyReadsTheSimulatorsUpdates(t *testing.T) {
	t.Parallel()
	judge(t)
	s := start(t, nil)
	h := startHooks(t)
	bot := simulator.Bot{ID: "555", Token: "555:judged-bot-token", Username: "judged_bot", WebhookURL: h.url}
	_, err := s.Simulator.AddBot(t.Context(), bot)
	require.NoError(t, err)
	file, err := s.Simulator.Upload(t.Context(), []byte("content"), "image/png", "p.png")
	require.NoError(t, err)

	var want []string
	say := func(filter string, u simulator.Utterance) simulator.Message {
		u.Platform, u.Account, u.From, u.Person = simulator.Telegram, bot.ID, "5501", simulator.Person{Name: "Ana", Username: "ana", Language: "es"}
		said, err := s.Simulator.Say(t.Context(), u)
		require.NoError(t, err, filter)
		want = append(want, filter)
		return said
	}
	first := say("message:text", simulator.Utterance{Text: "hola"})
	say("message:entities:bot_command", simulator.Utterance{Text: "/start promo"})
	for kind, filter := range map[string]string{
		"image": "message:photo", "audio": "message:audio", "voice": "message:voice", "video": "message:video",
		"document": "message:document", "sticker": "message:sticker",
	} {
		say(filter, simulator.Utterance{Kind: kind, Media: file.ID})
	}
	for filter, body := range map[string]string{
		"message:location": `{"latitude":4.7,"longitude":-74.1}`,
		"message:contact":  `{"phone_number":"+573001234567","first_name":"Ana","user_id":5501}`,
	} {
		say(filter, simulator.Utterance{Kind: filter[len("message:"):], Body: json.RawMessage(body)})
	}
	say("message:text", simulator.Utterance{Text: "¿y eso?", ReplyTo: first.ID})
	for _, blocked := range []bool{true, false} {
		_, err := s.Simulator.SetPhone(t.Context(), first.Chat, simulator.Phone{Blocked: &blocked})
		require.NoError(t, err)
		want = append(want, "my_chat_member")
	}

	h.await(t, len(want)) // a press has a queue of its own and might overtake the others
	pressButton(t, s, bot, first.Chat)
	want = append(want, "callback_query:data")

	updates := make([]json.RawMessage, 0, len(want))
	for _, webhook := range h.await(t, len(want)) {
		updates = append(updates, webhook.body)
	}
	filters := slices.Compact(slices.Sorted(slices.Values(want)))
	verdicts := asked[[]struct {
		Fired []string `json:"fired"`
		Error string   `json:"error"`
	}](t, "grammy.mjs", map[string]any{
		"updates": updates, "filters": filters, "me": map[string]any{"id": 555, "is_bot": true, "first_name": "K", "username": bot.Username},
	})
	require.Len(t, verdicts, len(want))
	for n, verdict := range verdicts { // one chat's updates come in their order
		require.Empty(t, verdict.Error, "%s", updates[n])
		require.Contains(t, verdict.Fired, want[n], "%s", updates[n])
	}
}

// pressButton lets the bot send a keyboard and the customer press its button.
func pressButton(t *testing.T, s *system.System, bot simulator.Bot, chat simulator.Chat) {
	t.Helper()
	body := fmt.Appendf(nil, `{"chat_id":%s,"text":"Elige","reply_markup":{"inline_keyboard":[[{"text":"Uno","callback_data":"uno"}]]}}`, chat.User)
	status, text, err := system.Post(t.Context(), http.DefaultClient, s.SimulatorURL+"/bot"+bot.Token+"/sendMessage", body, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, text)
	var sent struct {
		Result struct {
			ID int64 `json:"message_id"`
		} `json:"result"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &sent))
	_, err = s.Simulator.Press(t.Context(), simulator.Press{Chat: chat, Message: fmt.Sprint(sent.Result.ID), Data: "uno"})
	require.NoError(t, err)
}

// TestJudgeGrammyWouldSendWhatWeSend compares every call of ours to the Bot API with what grammY makes of the same, and checks
// its members against the types of grammY.
func TestJudgeGrammyWouldSendWhatWeSend(t *testing.T) {
	t.Parallel()
	judge(t)
	p := provider.Start(t)
	s := start(t, p.Environment())
	callTelegram(t, s)

	type call struct {
		Method string          `json:"method"`
		Body   json.RawMessage `json:"body"`
	}
	var calls []call
	for _, c := range p.Calls() {
		if c.Platform == simulator.Telegram {
			calls = append(calls, call{Method: c.Method, Body: c.Body})
		}
	}
	verdicts := asked[[]struct {
		Body     json.RawMessage `json:"body"`
		Problems []string        `json:"problems"`
	}](t, "grammy.mjs", map[string]any{"calls": calls})
	require.Len(t, verdicts, len(calls))
	judged := map[string]bool{}
	for n, verdict := range verdicts {
		require.JSONEq(t, string(verdict.Body), string(calls[n].Body), calls[n].Method)
		require.Empty(t, verdict.Problems, "%s %s", calls[n].Method, calls[n].Body)
		judged[calls[n].Method] = true
	}
	for _, method := range []string{"getMe", "setWebhook", "getWebhookInfo", "deleteWebhook", "sendMessage", "sendChatAction", "answerCallbackQuery"} {
		require.True(t, judged[method], "%s was called", method)
	}
}

// callTelegram lets channels call every method of the Bot API that it uses.
func callTelegram(t *testing.T, s *system.System) {
	t.Helper()
	awaitBotName(t, s)
	channels := channelsv1.NewChannelServiceClient(s.Conn(s.Channels))
	integrations := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels))
	bot := integrationOf(t, s, typev1.Platform_PLATFORM_TELEGRAM).GetId()
	to := func(chat *typev1.TelegramChat) *typev1.Address {
		return &typev1.Address{IntegrationId: bot, Recipient: &typev1.Address_Chat{Chat: chat}}
	}
	private := to(&typev1.TelegramChat{Id: 5501})
	for name, request := range map[string]*channelsv1.SendMessageRequest{
		"text":     {Address: private, Content: &channelsv1.Content{Text: "**Hola** _mundo_, [enlace](https://example.com) `x < y`"}},
		"reply":    {Address: private, Content: &channelsv1.Content{Text: "sí"}, ReplyToMessageId: "41"},
		"topic":    {Address: to(&typev1.TelegramChat{Id: -1001234567890, MessageThreadId: 7}), Content: &channelsv1.Content{Text: "hola"}},
		"business": {Address: to(&typev1.TelegramChat{Id: 5501, BusinessConnectionId: "bc1"}), Content: &channelsv1.Content{Text: "hola"}},
		"buttons": {Address: private, Content: &channelsv1.Content{Text: "Elige", ButtonRows: []*channelsv1.ButtonRow{
			{Buttons: []*channelsv1.Button{{Id: "a", Title: "Uno"}, {Id: "b", Title: "Dos"}}}, {Buttons: []*channelsv1.Button{{Id: "c", Title: "Tres"}}},
		}}},
	} {
		request.RequestId = "judge-" + name
		_, err := channels.SendMessage(t.Context(), request)
		require.NoError(t, err, name)
	}
	_, err := channels.SendTypingIndicator(t.Context(), &channelsv1.SendTypingIndicatorRequest{Address: private})
	require.NoError(t, err)
	_, err = channels.AnswerButtonPress(t.Context(), &channelsv1.AnswerButtonPressRequest{IntegrationId: bot, CallbackId: "77", Text: "Listo"})
	require.NoError(t, err)
	_, err = integrations.SetWebhook(t.Context(), &channelsv1.SetWebhookRequest{IntegrationId: bot, Url: "https://bot.example.com"})
	require.NoError(t, err)
	_, err = integrations.GetWebhookInfo(t.Context(), &channelsv1.GetWebhookInfoRequest{IntegrationId: bot})
	require.NoError(t, err)
	_, err = integrations.DeleteIntegration(t.Context(), &channelsv1.DeleteIntegrationRequest{Id: bot})
	require.NoError(t, err)
}
