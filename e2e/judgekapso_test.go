package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// signed is a webhook for kapso to verify.
type signed struct {
	Secret string `json:"secret"`
	Body   []byte `json:"body"`
	Header string `json:"header"`
}

// TestJudgeKapsoVerifiesTheSimulatorsWebhooks gives every kind of webhook of the simulator to kapso: it takes the signature of
// each, not that of a changed body, and reads from each who said what.
func TestJudgeKapsoVerifiesTheSimulatorsWebhooks(t *testing.T) {
	t.Parallel()
	judge(t)
	s := start(t, nil)
	h := startHooks(t)
	number := simulator.Number{ID: "5550001112223", AccessToken: "judged-access", VerifyToken: "judged-verify", AppSecret: "judged-secret", WebhookURL: h.url}
	_, err := s.Simulator.AddNumber(t.Context(), number)
	require.NoError(t, err)
	file, err := s.Simulator.Upload(t.Context(), []byte("content"), "image/png", "p.png")
	require.NoError(t, err)

	want := map[string]string{} // type by message id
	say := func(wireType string, u simulator.Utterance) {
		u.Platform, u.Account, u.From, u.Person = simulator.WhatsApp, number.ID, "573005550001", simulator.Person{Name: "Ana"}
		said, err := s.Simulator.Say(t.Context(), u)
		require.NoError(t, err, wireType)
		want[said.ID] = wireType
	}
	say("text", simulator.Utterance{Text: "hola"})
	for _, kind := range []string{"image", "audio", "voice", "video", "document", "sticker"} {
		say(strings.Replace(kind, "voice", "audio", 1), simulator.Utterance{Kind: kind, Media: file.ID})
	}
	for kind, body := range map[string]string{
		"location":    `{"latitude":4.7,"longitude":-74.1,"name":"Tienda"}`,
		"contacts":    `[{"name":{"formatted_name":"Eva"},"phones":[{"phone":"+573001234567"}]}]`,
		"reaction":    `{"message_id":"wamid.x","emoji":"👍"}`,
		"button":      `{"payload":"p","text":"Sí"}`,
		"interactive": `{"type":"list_reply","list_reply":{"id":"1","title":"Envíos","description":"Plazos"}}`,
		"order":       `{"catalog_id":"1","text":"","product_items":[{"product_retailer_id":"x","quantity":1,"item_price":3,"currency":"USD"}]}`,
		"unsupported": `{"type":"poll"}`,
	} {
		say(kind, simulator.Utterance{Kind: kind, Body: json.RawMessage(body)})
	}

	webhooks := h.await(t, len(want))
	var cases []signed
	var payloads []json.RawMessage
	for _, w := range webhooks {
		header := w.header.Get(signatureHeader)
		changed := append([]byte(" "), w.body...)
		cases = append(cases, signed{number.AppSecret, w.body, header}, signed{number.AppSecret, changed, header}, signed{"other", w.body, header})
		payloads = append(payloads, w.body)
	}
	for n, valid := range asked[[]bool](t, "kapso.mjs", map[string]any{"verify": cases}) {
		require.Equal(t, n%3 == 0, valid, "%s", cases[n].Body)
	}
	kapsoReads(t, payloads, number, want)
}

// kapsoReads holds what kapso's normaliser reads from payloads against what was said.
func kapsoReads(t *testing.T, payloads []json.RawMessage, number simulator.Number, want map[string]string) {
	t.Helper()
	type message struct {
		ID, From, FromUserID, Type, Timestamp string
	}
	read := map[string]string{}
	for n, got := range asked[[]struct {
		PhoneNumberID string
		Contacts      []struct{ WaID, UserID string }
		Messages      []message
	}](t, "kapso.mjs", map[string]any{"normalize": payloads}) {
		require.Equal(t, number.ID, got.PhoneNumberID, "%s", payloads[n])
		for _, m := range got.Messages {
			require.Equal(t, "573005550001", m.From)
			require.NotEmpty(t, m.Timestamp)
			require.Equal(t, m.From, got.Contacts[0].WaID)
			require.Equal(t, m.FromUserID, got.Contacts[0].UserID)
			read[m.ID] = m.Type
		}
	}
	require.Equal(t, want, read)
}

// TestJudgeKapsoAndTheGatewayAgreeOnSignatures posts what kapso has judged: the gateway refuses all that kapso refuses, and more
// only where kapso is known to be lax.
func TestJudgeKapsoAndTheGatewayAgreeOnSignatures(t *testing.T) {
	t.Parallel()
	judge(t)
	s := start(t, nil)
	secret := s.Credentials.AppSecret
	body := system.WhatsAppText(s.Credentials.PhoneNumberID, "573005550002", "wamid.judged", "Hola ñ 👍", time.Now())
	right := system.Sign(secret, body)
	lax := map[string]bool{"upper case": true, "with more": true} // Buffer.from reads hexadecimal digits until the first other one
	var names []string
	var cases []signed
	for name, header := range map[string]string{
		"right": right, "empty": "", "no digest": "sha256=", "wrong key": system.Sign("wrong", body), "key is empty": system.Sign("", body),
		"other body": system.Sign(secret, append([]byte(" "), body...)), "other algorithm": strings.Replace(right, "sha256=", "sha1=", 1),
		"without name": strings.TrimPrefix(right, "sha256="), "cut off": right[:len(right)-2], "with more": right + ",",
		"not hex": "sha256=" + strings.Repeat("z", 64), "upper case": "sha256=" + strings.ToUpper(strings.TrimPrefix(right, "sha256=")),
	} {
		names, cases = append(names, name), append(cases, signed{secret, body, header})
	}
	for n, valid := range asked[[]bool](t, "kapso.mjs", map[string]any{"verify": cases}) {
		want := http.StatusUnauthorized
		if valid && !lax[names[n]] {
			want = http.StatusOK
		}
		require.Equal(t, names[n] == "right" || lax[names[n]], valid, names[n])
		require.Equal(t, want, postTo(t, s, system.WhatsAppPath, body, http.Header{signatureHeader: {cases[n].Header}}), names[n])
	}
}

// TestJudgeKapsoSendsThroughTheSimulator lets kapso's client do against the simulator's Graph API what it does against Meta's.
func TestJudgeKapsoSendsThroughTheSimulator(t *testing.T) {
	t.Parallel()
	judge(t)
	s := start(t, nil)
	c := whatsAppCustomer(t, s, "573005550003")
	received := c.write("/start")
	answers := asked[map[string]struct {
		Error  string
		Answer struct {
			Success  bool
			ID, URL  string
			Contacts []struct{ Input, WaID string }
			Messages []struct{ ID string }
		}
	}](t, "kapso.mjs", map[string]any{"send": map[string]string{
		"url": s.SimulatorURL, "token": s.Credentials.AccessToken, "number": s.Credentials.PhoneNumberID, "to": "+573005550003", "received": received.ID,
	}})
	require.Len(t, answers, 11)
	for name, a := range answers {
		require.Empty(t, a.Error, name)
		switch name {
		case "read", "typing":
			require.True(t, a.Answer.Success, name)
		case "media":
			require.NotEmpty(t, a.Answer.ID+a.Answer.URL)
		default:
			require.Len(t, a.Answer.Messages, 1, name)
			require.NotEmpty(t, a.Answer.Messages[0].ID, name)
			require.Equal(t, "573005550003", a.Answer.Contacts[0].WaID, name)
		}
	}
}
