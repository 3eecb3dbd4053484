package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
	"github.com/knobot/knobot/simulator/internal/server"
)

const (
	numberID = "106540352242922"
	botID    = "7000000001"
	customer = "573001234567"
)

// received is a webhook as the program under test sees it.
type received struct {
	path, signature, secret, body string
}

type bundle struct {
	*client.Client
	url  string
	hook chan received
}

// setup runs a simulator with one number and one bot, and a program under test
// that accepts all webhooks and answers the handshake.
func setup(t *testing.T) bundle {
	t.Helper()
	hook := make(chan received, 100)
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Query().Get("hub.verify_token") == "verify" {
			_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
			return
		}
		body, _ := io.ReadAll(r.Body)
		hook <- received{
			r.URL.Path, r.Header.Get("X-Hub-Signature-256"), r.Header.Get("X-Telegram-Bot-Api-Secret-Token"), string(body),
		}
	}))
	settings := server.DefaultSettings()
	settings.SentDelay, settings.DeliveredDelay, settings.ReadDelay = 0, 0, 0
	s := server.New(server.Options{WebhookURL: program.URL, History: 1000, Settings: settings})
	require.NoError(t, s.Seed(server.Config{
		PhoneNumberID: numberID, AccessToken: "TOKEN", AppSecret: "secret", VerifyToken: "verify",
		BotToken: botID + ":AAtest", SecretToken: "s3cret",
	}))
	listener := httptest.NewServer(s)
	t.Cleanup(func() {
		listener.CloseClientConnections()
		s.Close()
		listener.Close()
		program.Close()
	})
	return bundle{Client: client.New(listener.URL+"/", listener.Client()), url: listener.URL, hook: hook}
}

// answer sends a WhatsApp text as the program under test.
func (b bundle) answer(t *testing.T, text string) (*http.Response, error) {
	t.Helper()
	body := `{"messaging_product":"whatsapp","to":"+` + customer + `","text":{"body":"` + text + `"}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/v26.0/"+numberID+"/messages", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer TOKEN")
	response, err := http.DefaultClient.Do(r)
	if err == nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	return response, err
}

func whatsApp() simulator.Chat {
	return simulator.Chat{Platform: simulator.WhatsApp, Account: numberID, User: customer}
}

func TestConversation(t *testing.T) {
	t.Parallel()

	t.Run("AQuestionGoesInAndTheAnswerIsWatched", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		done := errors.New("the answer was read")
		following, finished := make(chan struct{}), make(chan error, 1)
		var seen []simulator.Event
		go func() {
			filter := client.Filter{Chat: whatsApp()}
			finished <- b.Events(ctx, filter, func() { close(following) }, func(e simulator.Event) error {
				seen = append(seen, e)
				if e.Message != nil && e.Message.Direction == simulator.Outbound && e.Message.State == simulator.StateRead {
					return done
				}
				return nil
			})
		}()
		<-following
		said, err := b.Say(ctx, simulator.Utterance{Platform: simulator.WhatsApp, From: customer, Text: "¿A qué hora abren?"})
		require.NoError(t, err)
		require.Equal(t, numberID, said.Account)
		webhook := <-b.hook
		require.Equal(t, "/api/integrations/webhooks/whatsapp/", webhook.path)
		require.Len(t, webhook.signature, 71)
		response, err := b.answer(t, "A las 9")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.ErrorIs(t, <-finished, done)
		require.Equal(t, simulator.EventMessage, seen[0].Type)

		messages, err := b.Messages(ctx, said.Chat, 0)
		require.NoError(t, err)
		require.Len(t, messages, 2)
		require.Equal(t, "A las 9", messages[1].Text)
		calls, err := b.Journal(ctx, client.Filter{Chat: whatsApp(), Method: "messages"})
		require.NoError(t, err)
		require.Len(t, calls, 1)
		require.Equal(t, messages[1].ID, calls[0].Message)
		require.Eventually(t, func() bool {
			pending, err := b.PendingWebhooks(ctx)
			return err == nil && pending == 0
		}, 10*time.Second, 5*time.Millisecond)
		deliveries, err := b.Deliveries(ctx, client.Filter{})
		require.NoError(t, err)
		require.Len(t, deliveries, 4, "the message and three statuses")
	})

	t.Run("TelegramGoesItsOwnWay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.Telegram, From: "42", Text: "Hola"})
		require.NoError(t, err)
		webhook := <-b.hook
		require.Equal(t, "/api/integrations/webhooks/telegram/", webhook.path)
		require.Equal(t, "s3cret", webhook.secret)
		response, err := http.Get(b.url + "/bot" + botID + ":AAtest/sendMessage?chat_id=42&text=hola")
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.Equal(t, http.StatusOK, response.StatusCode)
		chats, err := b.Chats(t.Context(), client.Filter{})
		require.NoError(t, err)
		require.Len(t, chats, 1)
		require.Equal(t, 2, chats[0].Messages)
	})

	t.Run("AStreamCanBePickedUpWhereItEnded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, text := range []string{"uno", "dos"} {
			_, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.Telegram, From: "42", Text: text})
			require.NoError(t, err)
		}
		stop := errors.New("enough")
		var first simulator.Event
		err := b.Events(t.Context(), client.Filter{After: -1}, nil, func(e simulator.Event) error {
			first = e
			return stop
		})
		require.ErrorIs(t, err, stop)
		require.Equal(t, "uno", first.Message.Text)
		err = b.Events(t.Context(), client.Filter{After: first.Seq}, nil, func(e simulator.Event) error {
			require.Greater(t, e.Seq, first.Seq)
			return stop
		})
		require.ErrorIs(t, err, stop)
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	cases := map[simulator.FaultKind]struct {
		status int // 0: the connection breaks
		shown  int
	}{
		simulator.FaultThrottled:   {400, 1},
		simulator.FaultServerError: {500, 1},
		simulator.FaultBadGateway:  {502, 1},
		simulator.FaultEmpty:       {500, 1},
		simulator.FaultReset:       {0, 1},
		simulator.FaultHang:        {0, 1},
		simulator.FaultLostReply:   {0, 2},
		simulator.FaultSlow:        {200, 2},
	}
	for kind, c := range cases {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.WhatsApp, From: customer, Text: "Hola"})
			require.NoError(t, err)
			_, err = b.AddFault(t.Context(), simulator.Fault{Kind: kind, Delay: simulator.Duration(time.Millisecond)})
			require.NoError(t, err)
			response, err := b.answer(t, "hola")
			if c.status == 0 {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				require.Equal(t, c.status, response.StatusCode)
			}
			shown, err := b.Messages(t.Context(), whatsApp(), 0)
			require.NoError(t, err)
			require.Len(t, shown, c.shown)
			calls, err := b.Journal(t.Context(), client.Filter{})
			require.NoError(t, err)
			require.Equal(t, string(kind), calls[0].Fault)
			require.Equal(t, c.status, calls[0].Status)
			left, err := b.Faults(t.Context())
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestControl(t *testing.T) {
	t.Parallel()

	t.Run("AccountsAreAddedAtRunTimeAndKeepTheirSecrets", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.AddNumber(t.Context(), simulator.Number{ID: "222", AccessToken: "top-secret-1", AppSecret: "top-secret-2", VerifyToken: "verify"})
		require.NoError(t, err)
		_, err = b.AddBot(t.Context(), simulator.Bot{Token: "9:top-secret-3", SecretToken: "top-secret-4"})
		require.NoError(t, err)
		accounts, err := b.Accounts(t.Context())
		require.NoError(t, err)
		require.Len(t, accounts.Numbers, 2)
		require.Len(t, accounts.Bots, 2)
		raw, err := json.Marshal(accounts)
		require.NoError(t, err)
		require.NotContains(t, string(raw), "top-secret")
		answer, err := b.Verify(t.Context(), "222")
		require.NoError(t, err)
		require.True(t, answer.Accepted)
	})

	t.Run("RawAndBatch", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		answer, err := b.Raw(t.Context(), simulator.Raw{Platform: simulator.WhatsApp, Bytes: []byte("\xff{")})
		require.NoError(t, err)
		require.True(t, answer.Accepted)
		require.Equal(t, "\xff{", (<-b.hook).body)
		said, err := b.SayTogether(t.Context(), []simulator.Utterance{
			{Platform: simulator.WhatsApp, From: customer, Text: "uno"}, {Platform: simulator.WhatsApp, From: "573000000000", Text: "dos"},
		})
		require.NoError(t, err)
		require.Len(t, said, 2)
		require.Equal(t, 2, strings.Count((<-b.hook).body, `"field":"messages"`))
	})

	t.Run("CopiesAreDeliveredAsOftenAsAsked", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.WhatsApp, From: customer, Text: "Hola", Copies: 3})
		require.NoError(t, err)
		first := <-b.hook
		require.Equal(t, first, <-b.hook)
		require.Equal(t, first, <-b.hook)
	})

	t.Run("AButtonCanBePressed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.Telegram, From: "42", Text: "Hola"})
		require.NoError(t, err)
		<-b.hook
		keyboard := url.QueryEscape(`{"inline_keyboard":[[{"text":"Sí","callback_data":"yes"}]]}`)
		response, err := http.Get(b.url + "/bot" + botID + ":AAtest/sendMessage?chat_id=42&text=Elige&reply_markup=" + keyboard)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		chat := simulator.Chat{Platform: simulator.Telegram, Account: botID, User: "42"}
		messages, err := b.Messages(t.Context(), chat, 1)
		require.NoError(t, err)
		_, err = b.Press(t.Context(), simulator.Press{Chat: chat, Message: messages[0].ID, Data: "yes"})
		require.NoError(t, err)
		require.Contains(t, (<-b.hook).body, `"data":"yes"`)
		_, err = b.Press(t.Context(), simulator.Press{Chat: chat, Message: messages[0].ID, Data: "no"})
		require.EqualError(t, err, "simulator: no such message: the message has no button with that data (404)")
	})

	t.Run("AFaultCanBeCalledOff", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for range 2 {
			_, err := b.AddFault(t.Context(), simulator.Fault{Kind: simulator.FaultReset, Count: -1})
			require.NoError(t, err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, b.url+"/simulator/v1/faults/1", nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		left, err := b.Faults(t.Context())
		require.NoError(t, err)
		require.Len(t, left, 1)
		require.EqualValues(t, 2, left[0].ID)
	})

	t.Run("FilesCanBeSent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		file, err := b.Upload(t.Context(), []byte("<script>"), "text/html", "a.html")
		require.NoError(t, err)
		_, err = b.Say(t.Context(), simulator.Utterance{Platform: simulator.WhatsApp, From: customer, Kind: "document", Media: file.ID})
		require.NoError(t, err)
		require.Contains(t, (<-b.hook).body, file.ID)
		response, err := http.Get(b.url + "/simulator/v1/media/" + file.ID)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.Contains(t, response.Header.Get("Content-Security-Policy"), "sandbox", "a file is no page of ours")
	})

	t.Run("PhoneAndSettingsCanBeChanged", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Say(t.Context(), simulator.Utterance{Platform: simulator.Telegram, From: "42", Text: "Hola"})
		require.NoError(t, err)
		no := false
		info, err := b.SetPhone(t.Context(), simulator.Chat{Platform: simulator.Telegram, Account: botID, User: "42"}, simulator.Phone{Open: &no})
		require.NoError(t, err)
		require.False(t, info.PhoneOpen)
		settings, err := b.Settings(t.Context())
		require.NoError(t, err)
		settings.RetryScale = 0.01
		require.NoError(t, b.ChangeSettings(t.Context(), settings))
		settings.RetryScale = 0
		require.Error(t, b.ChangeSettings(t.Context(), settings))
		require.NoError(t, b.ClearFaults(t.Context()))
		require.NoError(t, b.Health(t.Context()))
	})

	t.Run("RefusalsSayWhy", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		var refusal *client.Error
		_, err := b.Say(t.Context(), simulator.Utterance{Platform: "signal", From: customer, Text: "Hola"})
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, http.StatusBadRequest, refusal.Status)
		_, err = b.Say(t.Context(), simulator.Utterance{Platform: simulator.WhatsApp, Account: "9", From: customer, Text: "Hola"})
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, http.StatusNotFound, refusal.Status)
		response, err := http.Post(b.url+"/simulator/v1/messages", "application/json", strings.NewReader(`{"plattform":"whatsapp"}`))
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.Equal(t, http.StatusBadRequest, response.StatusCode, "a mistyped name is no silent default")
	})

	t.Run("OtherSitesMayNotAct", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/simulator/v1/messages", strings.NewReader("{}"))
		require.NoError(t, err)
		r.Header.Set("Origin", "https://evil.example")
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.Equal(t, http.StatusForbidden, response.StatusCode)
	})
}

func TestPageIsServed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	response, err := http.Get(b.url + "/")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
}

func TestRunStopsWithStreamsOpen(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	addr, stopped := make(chan net.Addr, 1), make(chan error, 1)
	s := server.New(server.Options{WebhookURL: "http://127.0.0.1:1", History: 10, Settings: server.DefaultSettings()})
	go func() { stopped <- s.Run(ctx, "127.0.0.1:0", func(a net.Addr) { addr <- a }) }()
	c := client.New("http://"+(<-addr).String(), nil)
	err := c.Events(t.Context(), client.Filter{}, cancel, func(simulator.Event) error { return nil })
	require.ErrorIs(t, err, client.ErrStreamEnded)
	require.NoError(t, <-stopped)
}
