package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

const hours = "# Horario\n\n## Atención al público\n\nAbrimos de lunes a viernes de 9:00 a 19:00 y los sábados de 10:00 a 14:00. Los domingos cerramos.\n"

// TestMission walks the lines of the system that KnoBot re-creates, one sub-test each, against one running system.
func TestMission(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))

	t.Run("WhatsAppIsAnsweredFromTheDocuments", func(t *testing.T) {
		t.Parallel()
		answer := whatsAppCustomer(t, s, "573001234567").ask("¿A qué hora abren los sábados?")
		require.Contains(t, answer.Text, "10:00 a 14:00")
		require.Contains(t, answer.Text, "Horario", "the source is named")
	})
	t.Run("TelegramIsAnsweredFromTheDocuments", func(t *testing.T) {
		t.Parallel()
		answer := telegramCustomer(t, s, "7001", "ana_tg").ask("¿A qué hora abren los sábados?")
		require.Contains(t, answer.Text, "10:00 a 14:00")
		require.Contains(t, answer.Text, "Horario", "the source is named")
	})
	t.Run("NonsenseIsNotAnswered", func(t *testing.T) {
		t.Parallel()
		answer := telegramCustomer(t, s, "7002", "").ask("zumbra flixo caplutra verdino")
		require.NotContains(t, answer.Text, "10:00")
		require.Contains(t, strings.ToLower(answer.Text), "no ")
	})
	t.Run("UsersAreMadeFromWhoWrites", func(t *testing.T) { t.Parallel(); missionUsers(t, s) })
	t.Run("ConversationsHaveTheMetadataTrioAndDefaults", func(t *testing.T) { t.Parallel(); missionConversation(t, s) })
	t.Run("ReadAndTypingComeBeforeTheAnswer", func(t *testing.T) { t.Parallel(); missionTyping(t, s) })
	t.Run("TemplateInSpanish", func(t *testing.T) { t.Parallel(); missionTemplate(t, s) })
	t.Run("InlineKeyboardWithItsCallback", func(t *testing.T) { t.Parallel(); missionKeyboard(t, s) })
	t.Run("WebhookIsSetAndShown", func(t *testing.T) { t.Parallel(); missionWebhook(t, s) })
	t.Run("StartGreets", func(t *testing.T) {
		t.Parallel()
		answer := telegramCustomer(t, s, "7010", "").ask("/start")
		require.Contains(t, strings.ToLower(answer.Text), "hola")
	})
	t.Run("LogsAndTotalsByPlatform", func(t *testing.T) { t.Parallel(); missionLogs(t, s) })
	t.Run("HandshakeEchoesTheChallenge", func(t *testing.T) {
		t.Parallel()
		answer, err := s.Simulator.Verify(t.Context(), s.Credentials.PhoneNumberID)
		require.NoError(t, err)
		require.True(t, answer.Accepted, "%+v", answer)
	})
}

func missionUsers(t *testing.T, s *system.System) {
	whatsAppCustomer(t, s, "573009999999").ask("¿Abren los domingos?")
	telegramCustomer(t, s, "7003", "pepe").ask("¿Abren los domingos?")
	telegramCustomer(t, s, "7004", "").ask("¿Abren los domingos?")

	r, err := conversationv1.NewUserServiceClient(s.Conn(s.Conversation)).ListUsers(t.Context(), &conversationv1.ListUsersRequest{PageSize: 1000})
	require.NoError(t, err)
	byName := map[string]*conversationv1.User{}
	for _, u := range r.GetUsers() {
		byName[u.GetUsername()] = u
		require.Equal(t, u.GetUsername()+"@knowbot.local", u.GetEmail())
		require.Equal(t, "customer", u.GetRole())
	}
	require.Contains(t, byName, "whatsapp_573009999999")
	require.Contains(t, byName, "telegram_pepe")
	require.Contains(t, byName, "telegram_7004", "without a username the id serves")
	require.Equal(t, "573009999999", byName["whatsapp_573009999999"].GetPhoneNumber())
}

func missionConversation(t *testing.T, s *system.System) {
	whatsAppCustomer(t, s, "573008888888").ask("¿Abren los domingos?")
	client := conversationv1.NewConversationServiceClient(s.Conn(s.Conversation))
	r, err := client.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{PageSize: 1000})
	require.NoError(t, err)
	i := slices.IndexFunc(r.GetConversations(), func(c *conversationv1.Conversation) bool {
		return c.GetMetadata()["platform_user_id"] == "573008888888"
	})
	require.GreaterOrEqual(t, i, 0)
	c := r.GetConversations()[i]
	require.Equal(t, "whatsapp", c.GetMetadata()["platform"])
	require.NotEmpty(t, c.GetMetadata()["created_via"])
	require.True(t, c.GetRagEnabled(), "RAG is on by default")
	require.EqualValues(t, 5, c.GetContextPassages(), "five context documents by default")

	messages, err := client.ListMessages(t.Context(), &conversationv1.ListMessagesRequest{ConversationId: c.GetId()})
	require.NoError(t, err)
	require.Len(t, messages.GetMessages(), 2)
	require.Equal(t, conversationv1.Message_ROLE_CUSTOMER, messages.GetMessages()[0].GetRole())
	require.Equal(t, conversationv1.Message_ROLE_ASSISTANT, messages.GetMessages()[1].GetRole())
}

// missionTyping reads the calls that the simulator saw: read and typing stand before the answer.
func missionTyping(t *testing.T, s *system.System) {
	wa := whatsAppCustomer(t, s, "573007777777").ask("¿Abren los domingos?")
	tg := telegramCustomer(t, s, "7005", "").ask("¿Abren los domingos?")
	require.Equal(t, []string{"read", "messages"}, methods(t, s, wa.Chat))
	require.Equal(t, []string{"sendchataction", "sendmessage"}, methods(t, s, tg.Chat))
}

// methods lists the different calls for a chat in the order of their first appearance, in lower case.
func methods(t *testing.T, s *system.System, chat simulator.Chat) []string {
	t.Helper()
	calls, err := s.Simulator.Journal(t.Context(), client.Filter{Chat: chat})
	require.NoError(t, err)
	var names []string
	for _, c := range calls {
		if name := strings.ToLower(c.Method); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func missionTemplate(t *testing.T, s *system.System) {
	integration := integrationOf(t, s, typev1.Platform_PLATFORM_WHATSAPP)
	_, err := channelsv1.NewChannelServiceClient(s.Conn(s.Channels)).SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{
		RequestId: "template-1", Template: "bienvenida", Language: "es", BodyParameters: []string{"Ana"},
		Address: &typev1.Address{IntegrationId: integration.GetId(), Recipient: &typev1.Address_User{
			User: &typev1.WhatsAppUser{PhoneNumber: "573006666666"},
		}},
	})
	require.NoError(t, err)
	calls, err := s.Simulator.Journal(t.Context(), client.Filter{Chat: simulator.Chat{
		Platform: simulator.WhatsApp, Account: s.Credentials.PhoneNumberID, User: "573006666666",
	}})
	require.NoError(t, err)
	require.Len(t, calls, 1)
	var body struct {
		To       string `json:"to"`
		Template struct {
			Name     string `json:"name"`
			Language struct {
				Code string `json:"code"`
			} `json:"language"`
		} `json:"template"`
	}
	require.NoError(t, json.Unmarshal(calls[0].Request, &body))
	require.Equal(t, "+573006666666", body.To, "all-digit recipients are sent with +")
	require.Equal(t, "bienvenida", body.Template.Name)
	require.Equal(t, "es", body.Template.Language.Code)
}

func missionKeyboard(t *testing.T, s *system.System) {
	integration := integrationOf(t, s, typev1.Platform_PLATFORM_TELEGRAM)
	c := telegramCustomer(t, s, "7006", "")
	first := c.ask("¿Abren los domingos?")
	_, err := channelsv1.NewChannelServiceClient(s.Conn(s.Channels)).SendMessage(t.Context(), &channelsv1.SendMessageRequest{
		RequestId: "keyboard-1",
		Address: &typev1.Address{IntegrationId: integration.GetId(), Recipient: &typev1.Address_Chat{
			Chat: &typev1.TelegramChat{Id: 7006},
		}},
		Content: &channelsv1.Content{Text: "Elige una opción:", ButtonRows: []*channelsv1.ButtonRow{
			{Buttons: []*channelsv1.Button{{Id: "opt1", Title: "¿Abren los sábados?"}}},
			{Buttons: []*channelsv1.Button{{Id: "opt2", Title: "Opción 2"}}},
		}},
	})
	require.NoError(t, err)
	keyboard := c.awaitAnswer(first)
	require.Equal(t, "opt1", keyboard.Buttons[0][0].Data)
	require.Equal(t, "Opción 2", keyboard.Buttons[1][0].Text)

	pressed, err := s.Simulator.Press(t.Context(), simulator.Press{Chat: keyboard.Chat, Message: keyboard.ID, Data: "opt1"})
	require.NoError(t, err)
	pressed.Chat = keyboard.Chat
	pressed.Seq = max(pressed.Seq, keyboard.Seq)
	require.Contains(t, c.awaitAnswer(pressed).Text, "10:00 a 14:00", "a press asks what its label says")
	require.Eventually(t, func() bool {
		calls, err := s.Simulator.Journal(t.Context(), client.Filter{Method: "answerCallbackQuery"})
		return err == nil && len(calls) > 0
	}, 10*time.Second, 20*time.Millisecond, "the button's waiting state is ended")
}

func missionWebhook(t *testing.T, s *system.System) {
	integration := integrationOf(t, s, typev1.Platform_PLATFORM_TELEGRAM)
	client := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels))
	set, err := client.SetWebhook(t.Context(), &channelsv1.SetWebhookRequest{IntegrationId: integration.GetId(), Url: s.HTTP})
	require.NoError(t, err)
	require.Equal(t, s.HTTP+system.TelegramPath, set.GetWebhookInfo().GetUrl())
	info, err := client.GetWebhookInfo(t.Context(), &channelsv1.GetWebhookInfoRequest{IntegrationId: integration.GetId()})
	require.NoError(t, err)
	require.Equal(t, s.HTTP+system.TelegramPath, info.GetWebhookInfo().GetUrl())
	require.Contains(t, info.GetWebhookInfo().GetAllowedUpdates(), "callback_query")
}

func missionLogs(t *testing.T, s *system.System) {
	c := telegramCustomer(t, s, "7007", "")
	for range 3 {
		c.ask("¿Abren los domingos?")
	}
	logs := conversationv1.NewWebhookLogServiceClient(s.Conn(s.Conversation))
	var list []*conversationv1.WebhookLog
	require.Eventually(t, func() bool {
		r, err := logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{
			Platform: typev1.Platform_PLATFORM_TELEGRAM, PageSize: 10,
		})
		list = r.GetWebhookLogs()
		return err == nil && len(list) >= 3
	}, 10*time.Second, 50*time.Millisecond)
	require.LessOrEqual(t, len(list), 10)
	require.True(t, slices.IsSortedFunc(list, func(a, b *conversationv1.WebhookLog) int {
		return b.GetCreateTime().AsTime().Compare(a.GetCreateTime().AsTime())
	}), "newest first")
	for _, l := range list {
		require.Equal(t, typev1.Platform_PLATFORM_TELEGRAM, l.GetPlatform())
		require.EqualValues(t, 200, l.GetResponseStatus())
	}
	counts, err := logs.CountWebhookLogs(t.Context(), &conversationv1.CountWebhookLogsRequest{})
	require.NoError(t, err)
	totals := map[typev1.Platform]int64{}
	for _, c := range counts.GetCounts() {
		totals[c.GetPlatform()] = c.GetTotal()
	}
	require.GreaterOrEqual(t, totals[typev1.Platform_PLATFORM_TELEGRAM], int64(3))
}

// integrationOf returns the seeded integration of a platform.
func integrationOf(t *testing.T, s *system.System, p typev1.Platform) *channelsv1.Integration {
	t.Helper()
	r, err := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels)).ListIntegrations(context.Background(),
		&channelsv1.ListIntegrationsRequest{Platform: p})
	require.NoError(t, err)
	require.Len(t, r.GetIntegrations(), 1, "one of each is seeded from the environment")
	return r.GetIntegrations()[0]
}

// TestSeedingTwiceChangesNothing starts the programs a second time on the same database: get or create, as in the mission.
func TestSeedingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	before := integrationOf(t, s, typev1.Platform_PLATFORM_WHATSAPP)
	s.Channels.Stop()
	require.NoError(t, s.Channels.Start())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, s.Channels.WaitServing(ctx))
	var after *channelsv1.Integration
	require.Eventually(t, func() bool {
		r, err := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels)).ListIntegrations(ctx,
			&channelsv1.ListIntegrationsRequest{Platform: typev1.Platform_PLATFORM_WHATSAPP})
		if err != nil || len(r.GetIntegrations()) != 1 {
			return false
		}
		after = r.GetIntegrations()[0]
		return true
	}, 10*time.Second, 50*time.Millisecond)
	require.Equal(t, before.GetId(), after.GetId())
	require.Equal(t, "WhatsApp Business", after.GetName())
}
