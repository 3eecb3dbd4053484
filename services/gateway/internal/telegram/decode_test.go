package telegram_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/golden"
	"github.com/knobot/knobot/services/gateway/internal/telegram"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	os.Exit(m.Run())
}

func now() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func bot() gateway.Bot {
	return gateway.Bot{Integration: "int-3", ID: 7000000009, Username: "tienda_prueba_bot"}
}

func decode(t *testing.T, payload string) gateway.Event {
	t.Helper()
	events, err := telegram.Decode([]byte(payload), bot(), now())
	require.NoError(t, err)
	require.Len(t, events, 1)
	return events[0]
}

func TestEveryKindHasItsEvent(t *testing.T) {
	t.Parallel()
	for _, path := range golden.Payloads(t, "testdata") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			payload, err := os.ReadFile(path)
			require.NoError(t, err)
			events, err := telegram.Decode(payload, bot(), now())
			require.NoError(t, err)
			golden.Compare(t, path, events)
		})
	}
}

func TestUnknownBotIsNeverMentioned(t *testing.T) {
	t.Parallel()
	payload, err := os.ReadFile("testdata/group_mention.json")
	require.NoError(t, err)
	events, err := telegram.Decode(payload, gateway.Bot{Integration: "int-3"}, now())
	require.NoError(t, err)
	require.False(t, events[0].Content.(*gateway.Message).Addressed)
}

func TestQuestionInAGroupComesWithoutTheBotsName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"@tienda_prueba_bot ¿abren hoy?":        "¿abren hoy?",
		"@Tienda_Prueba_Bot: ¿abren hoy?":       "¿abren hoy?",
		"¿abren hoy? @tienda_prueba_bot":        "¿abren hoy?",
		"@tienda_prueba_bot":                    "@tienda_prueba_bot",
		"@tienda_prueba_bot2 ¿abren hoy?":       "@tienda_prueba_bot2 ¿abren hoy?",
		"dile a @tienda_prueba_bot que no":      "dile a @tienda_prueba_bot que no",
		"correo@tienda_prueba_bot":              "correo@tienda_prueba_bot",
		"ñññññññññññññññññ":                     "ñññññññññññññññññ",
		" ¿abren hoy? ":                         " ¿abren hoy? ",
		"/precio@tienda_prueba_bot zapatos":     "/precio@tienda_prueba_bot zapatos",
		"ventas @tienda_prueba_bot, ¿y mañana?": "ventas @tienda_prueba_bot, ¿y mañana?",
	} {
		e := decode(t, fmt.Sprintf(`{"message":{"message_id":2,"chat":{"id":-3,"type":"group"},"from":{"id":3},"text":%q}}`, text))
		require.Equal(t, want, e.Content.(*gateway.Message).Text)
	}
	e := decode(t, `{"message":{"message_id":2,"chat":{"id":3,"type":"private"},"from":{"id":3},"text":"@tienda_prueba_bot hola"}}`)
	require.Equal(t, "@tienda_prueba_bot hola", e.Content.(*gateway.Message).Text)
}

func TestNotJSONIsMalformed(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "{", "\xff", "{\"a\":\"\x00\"}", "[1,]", strings.Repeat("[", 20_000)} {
		_, err := telegram.Decode([]byte(payload), bot(), now())
		require.ErrorIs(t, err, gateway.ErrMalformedBody, "%.20q", payload)
	}
}

func TestNestingIsHarmless(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{1000, 9900} {
		deep := strings.Repeat(`{"reply_to_message":`, depth) + `1` + strings.Repeat(`}`, depth)
		e := decode(t, `{"update_id":1,"message":{"message_id":2,"chat":{"id":3,"type":"private"},"from":{"id":3},"text":"hola","reply_to_message":`+deep+`}}`)
		require.Equal(t, "hola", e.Content.(*gateway.Message).Text)
	}
}

func TestTextIsCleanedAndBounded(t *testing.T) {
	t.Parallel()
	e := decode(t, "{\"update_id\":1,\"message\":{\"message_id\":2,\"chat\":{\"id\":3,\"type\":\"private\"},\"from\":{\"id\":3},\"text\":\"a\\u0000b\xffc"+strings.Repeat("é", 600_000)+"\"}}")
	text := e.Content.(*gateway.Message).Text
	require.True(t, strings.HasPrefix(text, "ab\ufffdcé"))
	require.LessOrEqual(t, len(text), 1<<20)
	golden.RequireStorable(t, []gateway.Event{e})
}

func TestIDsNeedAllTheirBits(t *testing.T) {
	t.Parallel()
	e := decode(t, `{"update_id":1,"message":{"message_id":2,"chat":{"id":-1009007199254740993,"type":"supergroup"},"from":{"id":4503599627370495},"text":"/x"}}`)
	message := e.Content.(*gateway.Message)
	require.Equal(t, gateway.TelegramChat{ID: -1009007199254740993}, message.Address)
	require.Equal(t, "4503599627370495", message.Sender.UserID)
	require.Equal(t, "msg::-1009007199254740993:2", e.Key)
}

func TestThousandsOfEntitiesCostLittle(t *testing.T) {
	t.Parallel()
	const n = 50_000
	entities := strings.Repeat(`{"type":"mention","offset":0,"length":1000000},`, n) + `{"type":"mention","offset":0,"length":9}`
	payload := fmt.Sprintf(`{"message":{"message_id":2,"chat":{"id":-3,"type":"group"},"from":{"id":3},"text":%q,"entities":[%s]}}`,
		strings.Repeat("x", 1_000_000), entities)
	start := time.Now()
	e := decode(t, payload)
	require.False(t, e.Content.(*gateway.Message).Addressed)
	require.Less(t, time.Since(start), 30*time.Second)
}

func FuzzDecodeTelegram(f *testing.F) {
	for _, path := range golden.Payloads(f, "testdata") {
		payload, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		events, err := telegram.Decode(payload, bot(), now())
		require.Equal(t, json.Valid(payload), err == nil)
		if err != nil {
			return
		}
		golden.RequireStorable(t, events)
		again, _ := telegram.Decode(payload, bot(), now())
		require.Equal(t, events, again)
	})
}
