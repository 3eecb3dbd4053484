package whatsapp_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
	"github.com/knobot/knobot/services/gateway/internal/whatsapp"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	os.Exit(m.Run())
}

const number = "200000000000001"

func now() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func scope() gateway.Scope {
	return gateway.NewScope(map[string]gateway.IntegrationID{number: "int-1", "200000000000002": "int-2"}, false)
}

// body wraps messages as Meta does.
func body(messages ...string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{` +
		`"metadata":{"phone_number_id":"` + number + `"},"messages":[` + strings.Join(messages, ",") + `]}}]}]}`)
}

func text(id, text string) string {
	return fmt.Sprintf(`{"id":%q,"from":"573005550111","timestamp":"1795000000","type":"text","text":{"body":%q}}`, id, text)
}

func TestEveryKindHasItsEvent(t *testing.T) {
	t.Parallel()
	for _, path := range golden.Payloads(t, "testdata") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			payload, err := os.ReadFile(path)
			require.NoError(t, err)
			events, err := whatsapp.Decode(payload, scope(), now())
			require.NoError(t, err)
			golden.Compare(t, path, events)
		})
	}
}

func TestThousandChangesAreAllRead(t *testing.T) {
	t.Parallel()
	var changes []string
	for i := range 1000 {
		changes = append(changes, fmt.Sprintf(`{"field":"messages","value":{"metadata":{"phone_number_id":%q},"messages":[%s]}}`,
			number, text(fmt.Sprintf("wamid.%d", i), strings.Repeat("x", 1000))))
	}
	payload := []byte(`{"entry":[{"changes":[` + strings.Join(changes, ",") + `]}]}`)
	events, err := whatsapp.Decode(payload, scope(), now())
	require.NoError(t, err)
	require.Len(t, events, 1000)
	for i, e := range events {
		require.Equal(t, fmt.Sprintf("msg:wamid.%d", i), e.Key)
		require.NotNil(t, e.Content)
	}
}

func TestMoreEventsThanMetaEverSendsAreTooLarge(t *testing.T) {
	t.Parallel()
	_, err := whatsapp.Decode(body(strings.Repeat("{},", 100_000)+"{}"), scope(), now())
	require.ErrorIs(t, err, gateway.ErrBodyTooLarge)
}

func TestNestingIsHarmless(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{1000, 9000} {
		deep := strings.Repeat(`{"edit":`, depth) + `1` + strings.Repeat(`}`, depth)
		payload := body(`{"id":"wamid.deep","from":"1","type":"edit","edit":`+deep+`}`, text("wamid.valid", "hola"))
		events, err := whatsapp.Decode(payload, scope(), now())
		require.NoError(t, err)
		require.Len(t, events, 2)
		require.Equal(t, "msg:wamid.valid", events[1].Key)
	}
	// encoding/json stops at 10,000 levels, which counts as not JSON.
	_, err := whatsapp.Decode([]byte(strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)), scope(), now())
	require.ErrorIs(t, err, gateway.ErrMalformedBody)
}

func TestNotJSONIsMalformed(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", " ", "{", "\x00\xff\xfe not json", `{"entry":[}`, "{} {}", "\xef\xbb\xbf{}", "{\"a\":\"\x00\"}"} {
		_, err := whatsapp.Decode([]byte(payload), scope(), now())
		require.ErrorIs(t, err, gateway.ErrMalformedBody, "%q", payload)
	}
}

func TestJSONOfAnyShapeIsRecorded(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`null`, `[]`, `7`, `"x"`, `{}`, `{"entry":null}`, `{"entry":7}`, `{"entry":[7]}`, `{"entry":[{"changes":"x"}]}`,
		`{"entry":[{"changes":[7]}]}`, `{"entry":[{"changes":[{"field":7,"value":"x"}]}]}`,
		`{"entry":[{"changes":[{"field":"messages","value":{"metadata":[],"messages":{"a":1},"statuses":"x","contacts":7}}]}]}`,
	} {
		events, err := whatsapp.Decode([]byte(payload), scope(), now())
		require.NoError(t, err, payload)
		require.Len(t, events, 1, payload)
		require.NotEmpty(t, events[0].Key)
		require.NotEmpty(t, events[0].Kind)
		require.Equal(t, gateway.IntegrationID("int-1"), events[0].Integration)
	}
}

func TestOddValuesCostOnlyThemselves(t *testing.T) {
	t.Parallel()
	payload := body(
		`{"id":"wamid.1","from":573005550111,"timestamp":1795000000,"type":"location","location":{"latitude":1e999,"longitude":"abc"}}`,
		`{"id":"wamid.2","from":"573005550111","timestamp":99999999999999999999,"type":"text","text":{"body":"a\u0000b\ud800c"}}`,
		"{\"id\":\"wamid.3\",\"from\":\"573005550111\",\"timestamp\":\"-5\",\"type\":\"text\",\"text\":{\"body\":\"a\xffb\"}}",
		`{"id":"wamid.4","id":"wamid.5","from":"573005550111","type":"text","type":"text","text":{"body":"uno"},"text":{"body":"dos"}}`,
	)
	events, err := whatsapp.Decode(payload, scope(), now())
	require.NoError(t, err)
	require.Len(t, events, 4)
	message := func(i int) *gateway.Message { return events[i].Content.(*gateway.Message) }
	require.Equal(t, "573005550111", message(0).Sender.PhoneNumber)
	require.Equal(t, time.Unix(1795000000, 0).UTC(), events[0].OccurTime)
	require.Equal(t, &gateway.Location{}, message(0).Location)
	require.Equal(t, "ab\ufffdc", message(1).Text)
	require.True(t, events[1].OccurTime.IsZero())
	require.Equal(t, "a\ufffdb", message(2).Text)
	require.True(t, events[2].OccurTime.IsZero())
	require.Equal(t, "dos", message(3).Text)
	require.Equal(t, "msg:wamid.5", events[3].Key)
}

func TestLongStringsAreBounded(t *testing.T) {
	t.Parallel()
	longID := strings.Repeat("i", 5000)
	payload := body(text(longID+"1", strings.Repeat("ñ", 700_000)), text(longID+"2", "hola"))
	events, err := whatsapp.Decode(payload, scope(), now())
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.NotEqual(t, events[0].Key, events[1].Key)
	require.Regexp(t, `^sha256:[0-9a-f]{64}$`, events[0].Key)
	first := events[0].Content.(*gateway.Message)
	require.Len(t, first.ID, 256)
	require.Equal(t, 1<<20, len(first.Text))
}

func TestBodyOfOneNumberSaysNothingForAnother(t *testing.T) {
	t.Parallel()
	other := strings.Replace(string(body(text("wamid.theirs", "hola"))), number, "200000000000009", 1)
	mixed := []byte(`{"entry":[` + other[strings.Index(other, `{"id":"1"`):len(other)-2] + `,` +
		string(body(text("wamid.ours", "hola")))[len(`{"object":"whatsapp_business_account","entry":[`):])
	require.True(t, json.Valid(mixed), string(mixed))
	events, err := whatsapp.Decode(mixed, scope(), now())
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, "200000000000009", events[0].ForeignNumber)
	require.Empty(t, events[0].Integration)
	require.Nil(t, events[0].Content)
	require.Equal(t, gateway.IntegrationID("int-1"), events[1].Integration)
	require.NotNil(t, events[1].Content)
}

func FuzzDecodeWhatsApp(f *testing.F) {
	for _, path := range golden.Payloads(f, "testdata") {
		payload, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		events, err := whatsapp.Decode(payload, scope(), now())
		if err != nil {
			require.NotEqual(t, json.Valid(payload), errors.Is(err, gateway.ErrMalformedBody))
			return
		}
		golden.RequireStorable(t, events)
		again, _ := whatsapp.Decode(bytes.Clone(payload), scope(), now())
		require.Equal(t, events, again, "a repeat must decode to the same keys")
	})
}

func BenchmarkDecodeThousandMessages(b *testing.B) {
	messages := make([]string, 1000)
	for i := range messages {
		messages[i] = text(fmt.Sprintf("wamid.%d", i), strings.Repeat("hola ", 600))
	}
	payload := body(messages...)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := whatsapp.Decode(payload, scope(), now()); err != nil {
			b.Fatal(err)
		}
	}
}
