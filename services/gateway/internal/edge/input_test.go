package edge

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

func whatsAppCredentials(id, number, secret, token string) *channelsv1.Credentials {
	return &channelsv1.Credentials{
		IntegrationId: id, Platform: typev1.Platform_PLATFORM_WHATSAPP, State: channelsv1.Integration_STATE_ENABLED,
		PhoneNumberId: number, AppSecrets: [][]byte{[]byte(secret)}, VerifyTokenSha256: digestOf(token),
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, v))
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	var data struct {
		AppSecret string `json:"app_secret"`
		Vectors   []struct {
			Name, Header string
			BodyBase64   string `json:"body_base64"`
			Valid        bool
		}
	}
	readJSON(t, shared(t, "whatsapp", "signature_vectors.json"), &data)
	require.NotEmpty(t, data.Vectors)
	s := newStack(t, whatsAppCredentials("a", ourNumber, data.AppSecret, "t"))
	for _, v := range data.Vectors {
		body, err := base64.StdEncoding.DecodeString(v.BodyBase64)
		require.NoError(t, err)
		want := http.StatusUnauthorized
		switch {
		case v.Valid && json.Valid(body):
			want = http.StatusOK
		case v.Valid:
			want = http.StatusBadRequest
		}
		require.Equal(t, want, s.postWhatsApp(t, string(body), v.Header).status, v.Name)
	}
}

func TestHandshakeVectors(t *testing.T) {
	t.Parallel()
	var data struct {
		VerifyToken string `json:"verify_token"`
		Vectors     []struct {
			Query, Body string
			Status      int
		}
	}
	readJSON(t, shared(t, "whatsapp", "verification_vectors.json"), &data)
	require.NotEmpty(t, data.Vectors)
	s := newStack(t, whatsAppCredentials("a", ourNumber, "s", data.VerifyToken))
	for _, v := range data.Vectors {
		got := s.do(t, http.MethodGet, whatsAppURL+"?"+v.Query, nil, nil)
		require.Equal(t, v.Status, got.status, v.Query)
		if v.Status == http.StatusOK {
			require.Equal(t, v.Body, got.body)
			require.True(t, strings.HasPrefix(got.header.Get("Content-Type"), "text/plain"))
		}
	}
}

func TestEveryReferencePayloadIsStored(t *testing.T) {
	t.Parallel()
	reference := shared(t)
	s := newStack(t, append(defaultCredentials(),
		whatsAppCredentials("meta", "106540352242922", appSecret, "t"), whatsAppCredentials("pywa", "1122334455667", appSecret, "t"))...)
	paths, err := filepath.Glob(filepath.Join(reference, "whatsapp", "webhooks", "*", "*.json"))
	require.NoError(t, err)
	updates, err := filepath.Glob(filepath.Join(reference, "telegram", "updates", "*", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	require.NotEmpty(t, updates)
	for i, path := range append(paths, updates...) {
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		var got answer
		if i < len(paths) {
			got = s.postWhatsApp(t, string(body), sign(appSecret, body))
		} else {
			got = s.postTelegram(t, string(body), botSecret)
		}
		require.Equal(t, http.StatusOK, got.status, path)
		stored := s.conversation.stored()
		require.Len(t, stored, i+1)
		require.Equal(t, body, stored[i].GetPayload())
		requireExpected(t, filepath.Base(path), stored[i].GetEvents())
	}
}

// requireExpected holds a payload against what its name promises: those of messages give messages, and so on.
func requireExpected(t *testing.T, name string, events []*conversationv1.Event) {
	t.Helper()
	require.Len(t, events, 1, name)
	e := events[0]
	require.NotEqual(t, "unknown", e.GetKind(), name)
	foreign := strings.HasPrefix(name, "deleted_message__") // its number is a placeholder.
	require.Equal(t, foreign, e.GetForeignNumber() != "", name)
	recorded := strings.Contains(name, "group_settings") || strings.Contains(name, "group_create") || strings.Contains(name, "group_remove") ||
		strings.HasPrefix(name, "template_") || strings.HasPrefix(name, "user_marketing") || strings.HasPrefix(name, "guest_") ||
		strings.HasPrefix(name, "stopped_") || strings.HasPrefix(name, "purchased_")
	require.Equal(t, !recorded && !foreign, e.GetContent() != nil, name)
	switch {
	case strings.HasPrefix(name, "message_status__"):
		require.NotNil(t, e.GetDeliveryReport(), name)
	case strings.HasPrefix(name, "system_"), strings.HasPrefix(name, "my_chat_member"), name == "message_group_migrated.json":
		require.NotNil(t, e.GetIdentityChange(), name)
	case strings.HasPrefix(name, "callback_query"):
		require.NotNil(t, e.GetButtonPress(), name)
	case e.GetContent() != nil:
		require.NotNil(t, e.GetMessage(), name)
		require.NotZero(t, e.GetMessage().GetKind(), name)
	}
}

func TestThousandMessagesAreAllStored(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var messages []string
	for i := range 1000 {
		messages = append(messages, fmt.Sprintf(`{"id":"wamid.%d","from":"573005550111","timestamp":"1795000000","type":"text","text":{"body":%q}}`, i, strings.Repeat("hola ", 500)))
	}
	body := `{"entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"` + ourNumber + `"},"messages":[` + strings.Join(messages, ",") + `]}}]}]}`
	require.Equal(t, http.StatusOK, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
	require.Len(t, s.conversation.stored()[0].GetEvents(), 1000)
}

func TestOddInputIsStoredOrRefusedNeverAnError(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	update := func(text string) string {
		return `{"update_id":1,"message":{"message_id":2,"chat":{"id":3,"type":"private"},"from":{"id":3},"text":` + text + `}}`
	}
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"NUL":             {`"a\u0000b"`, 200},
		"lone surrogate":  {`"\ud83d"`, 200},
		"bad UTF-8":       {"\"\xff\xfe\xc3\"", 200},
		"half of a pair":  {`"\ud83dx\ude00"`, 200},
		"bare NUL":        {"\"\x00\"", 400},
		"number":          {`1e999`, 200},
		"long number":     {strings.Repeat("9", 100_000), 200},
		"nested 1,000":    {strings.Repeat("[", 1000) + strings.Repeat("]", 1000), 200},
		"nested 10,000":   {strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), 400},
		"unclosed":        {strings.Repeat("[", 1_000_000), 400},
		"1 MiB":           {`"` + strings.Repeat("x", 1<<20) + `"`, 200},
		"3 MiB":           {`"` + strings.Repeat("ñ", 3<<19) + `"`, 200},
		"empty":           {`""`, 200},
		"null":            {`null`, 200},
		"duplicate keys":  {`"a","text":"b","text":7`, 200},
		"comment":         {`"a"/**/`, 400},
		"single quotes":   {`'a'`, 400},
		"trailing comma":  {`"a",`, 400},
		"unquoted":        {`a`, 400},
		"100,000 objects": {"[" + strings.Repeat("{},", 100_000) + "{}]", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.status, s.postTelegram(t, update(c.text), botSecret).status)
			body := strings.Replace(textBody("wamid.1", "@"), `"@"`, c.text, 1)
			require.Equal(t, c.status, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
		})
	}
}
