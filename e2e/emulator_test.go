package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/system"
)

const (
	emulatorPackage = "telegram-test-api@4.2.1"
	emulatorToken   = "123456:TEST"
	emulatorUser    = 7
	// emulatorScript runs the emulator on an address of its own and ends it with the test, even if the test is killed: then its
	// standard input closes. Without the handler a refused webhook would end it.
	emulatorScript = `const TelegramServer = require('telegram-test-api');
process.on('unhandledRejection', e => console.error('hook failed:', e.message));
process.stdin.resume().on('end', () => process.exit());
new TelegramServer({host: '127.0.0.1', port: +process.argv[1]}).start();`
)

// TestForeignEmulatorCarriesTheQuestionAndTheAnswer runs KnoBot against a Bot API that nobody here wrote.
func TestForeignEmulatorCarriesTheQuestionAndTheAnswer(t *testing.T) {
	t.Parallel()
	e := startEmulator(t)
	s := start(t, map[string]string{"TELEGRAM_API_URL": e.url, "TELEGRAM_BOT_TOKEN": emulatorToken})
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	integration := integrationOf(t, s, typev1.Platform_PLATFORM_TELEGRAM)
	require.EqualValues(t, 123456, integration.GetTelegram().GetBotId())
	set, err := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels)).SetWebhook(t.Context(),
		&channelsv1.SetWebhookRequest{IntegrationId: integration.GetId(), Url: relay(t, s)})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(set.GetWebhookInfo().GetUrl(), system.TelegramPath))

	user := map[string]any{"id": emulatorUser, "is_bot": false, "first_name": "Ana"}
	chat := map[string]any{"id": emulatorUser, "type": "private", "first_name": "Ana"}
	e.call("/sendMessage", map[string]any{"botToken": emulatorToken, "date": time.Now().Unix(), "from": user, "chat": chat, "text": saturday})
	require.Contains(t, e.awaitBot().Text, "10:00 a 14:00", "the question went in and the answer came out")

	sendKeyboard(t, s, integration.GetId())
	keyboard := e.awaitBot()
	require.Equal(t, "opt1", keyboard.Markup.Rows[0][0].Data)
	e.call("/sendCallback", map[string]any{
		"botToken": emulatorToken, "date": time.Now().Unix(), "from": user, "data": keyboard.Markup.Rows[0][0].Data,
		"message": map[string]any{
			"message_id": keyboard.id, "date": time.Now().Unix(), "chat": chat, "text": keyboard.Text, "reply_markup": keyboard.Markup,
		},
	})
	require.Contains(t, e.awaitBot().Text, "10:00 a 14:00", "a press asks what its label says")
	require.Eventually(t, func() bool { return strings.Contains(e.log.String(), "/answerCallbackQuery") }, 10*time.Second, 50*time.Millisecond,
		"the press was answered")
}

func sendKeyboard(t *testing.T, s *system.System, integration string) {
	t.Helper()
	_, err := channelsv1.NewChannelServiceClient(s.Conn(s.Channels)).SendMessage(t.Context(), &channelsv1.SendMessageRequest{
		RequestId: "emulator-keyboard",
		Address: &typev1.Address{IntegrationId: integration, Recipient: &typev1.Address_Chat{
			Chat: &typev1.TelegramChat{Id: emulatorUser},
		}},
		Content: &channelsv1.Content{Text: "Elige una opción:", ButtonRows: []*channelsv1.ButtonRow{
			{Buttons: []*channelsv1.Button{{Id: "opt1", Title: saturday}}},
		}},
	})
	require.NoError(t, err)
}

// relay stands between the emulator and the gateway and adds the secret, which this emulator takes but never sends.
func relay(t *testing.T, s *system.System) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		status, err := s.PostTelegram(r.Context(), body)
		if err != nil {
			status = http.StatusBadGateway
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// emulator is a running telegram-test-api.
type emulator struct {
	t   *testing.T
	url string
	log *system.Log
}

// startEmulator installs and starts it, or skips the test where that cannot be done.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed, so the emulator cannot run", name)
		}
	}
	dir := t.TempDir()
	installing, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(installing, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, emulatorPackage)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("%s cannot be installed: %v\n%s", emulatorPackage, err, out)
	}

	address, err := system.FreeAddress()
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	e := &emulator{t: t, url: "http://" + address, log: &system.Log{}}
	cmd := exec.CommandContext(t.Context(), "node", "-e", emulatorScript, port)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, e.log, e.log
	cmd.Env = append(cmd.Environ(), "DEBUG=TelegramServer:request") // it then prints every call
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(e.log.String())
		}
	})
	require.NoError(t, system.AwaitListening(t.Context(), address), e.log)
	return e
}

// call calls one of the emulator's own routes, by which tests play the user.
func (e *emulator) call(path string, in any) json.RawMessage {
	e.t.Helper()
	body, err := json.Marshal(in)
	require.NoError(e.t, err)
	status, text, err := system.Post(e.t.Context(), http.DefaultClient, e.url+path, body, nil)
	require.NoError(e.t, err)
	require.Equal(e.t, http.StatusOK, status, text)
	var answer struct {
		Result json.RawMessage `json:"result"`
	}
	require.NoError(e.t, json.Unmarshal([]byte(text), &answer))
	return answer.Result
}

// botMessage is what the emulator keeps of a message of the bot.
type botMessage struct {
	id     int
	Text   string `json:"text"`
	Markup struct {
		Rows [][]struct {
			Text string `json:"text"`
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
}

// awaitBot waits for the bot's next message, which the emulator then counts as read.
func (e *emulator) awaitBot() botMessage {
	e.t.Helper()
	var unread []struct {
		ID      int        `json:"messageId"`
		Message botMessage `json:"message"`
	}
	eventually(e.t, 30*time.Second, func() bool {
		result := e.call("/getUpdates", map[string]any{"token": emulatorToken, "chatId": emulatorUser})
		require.NoError(e.t, json.Unmarshal(result, &unread), "%s", result)
		return len(unread) > 0
	}, "the bot writes")
	require.Len(e.t, unread, 1)
	unread[0].Message.id = unread[0].ID
	return unread[0].Message
}
