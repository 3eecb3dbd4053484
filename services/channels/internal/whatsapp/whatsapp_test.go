package whatsapp_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

const accepted = `{"messaging_product":"whatsapp","contacts":[{"input":"x"}],"messages":[{"id":"wamid.OUT"}]}`

// credentials hold a canary: no error may quote it.
func credentials() channels.Credentials {
	return channels.Credentials{PhoneNumberID: "106540352242922", AccessToken: "EAACANARY"}
}

func to(phone, userID string) channels.Address {
	return channels.Address{WhatsApp: &channels.WhatsAppUser{Phone: phone, UserID: userID}}
}

func text(body string) channels.SendRequest {
	return channels.SendRequest{Address: to("573001234567", ""), Part: channels.Part{Text: body}}
}

// send makes one call against a server that answers as given.
func send(t *testing.T, r channels.SendRequest, answers ...fakeapi.Answer) (*fakeapi.Server, string, error) {
	t.Helper()
	server := fakeapi.New(t, answers...)
	id, err := whatsapp.New(whatsapp.Config{BaseURL: server.URL + "/"}).Send(t.Context(), credentials(), r)
	return server, id, err
}

// sent returns the body of a send that Meta accepted.
func sent(t *testing.T, r channels.SendRequest) map[string]any {
	t.Helper()
	server, id, err := send(t, r, fakeapi.Answer{Status: 200, Body: accepted})
	require.NoError(t, err)
	require.Equal(t, "wamid.OUT", id)
	return server.Only(t).Body
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

func TestSendPostsToTheNumberWithItsToken(t *testing.T) {
	t.Parallel()

	server, _, err := send(t, text("Hola"), fakeapi.Answer{Status: 200, Body: accepted})
	require.NoError(t, err)
	call := server.Only(t)
	require.Equal(t, http.MethodPost, call.Method)
	require.Equal(t, "/v26.0/106540352242922/messages", call.Path)
	require.Equal(t, "Bearer EAACANARY", call.Header.Get("Authorization"))
	require.Equal(t, "application/json", call.Header.Get("Content-Type"))
	require.NotContains(t, string(call.Raw), "CANARY")
}

func TestReachAsksForTheNumberAndNothingElse(t *testing.T) {
	t.Parallel()
	reach := func(a fakeapi.Answer) (*fakeapi.Server, error) {
		server := fakeapi.New(t, a)
		return server, whatsapp.New(whatsapp.Config{BaseURL: server.URL + "/"}).Reach(t.Context(), credentials())
	}
	server, err := reach(fakeapi.Answer{Status: 200, Body: `{"id":"106540352242922"}`})
	require.NoError(t, err)
	call := server.Only(t)
	require.Equal(t, http.MethodGet, call.Method)
	require.True(t, strings.HasSuffix(call.Path, "/106540352242922"), call.Path)
	_, err = reach(fakeapi.Answer{Status: 502, Body: "<html>"})
	require.Equal(t, channels.ClassInDoubt, failure(t, err).Class)
	_, err = reach(fakeapi.Answer{Status: 401, Body: `{"error":{"code":190,"message":"EAACANARY expired"}}`})
	require.Equal(t, channels.ClassStopIntegration, failure(t, err).Class, "who says no is there")
}

func TestRecipientIsAddressedAsMetaGaveIt(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		phone, userID string
		key, want     string
	}{
		"DigitsGetAPlus":           {"573001234567", "", "to", "+573001234567"},
		"PlusStays":                {"+573001234567", "", "to", "+573001234567"},
		"MexicanOneIsNotRewritten": {"5215512345678", "", "to", "+5215512345678"},
		"UserIDWithoutPhone":       {"", "CO.248173059", "recipient", "CO.248173059"},
		"PhoneWinsOverUserID":      {"573001234567", "CO.248173059", "to", "+573001234567"},
		"UserIDInPlaceOfThePhone":  {"CO.248173059", "", "recipient", "CO.248173059"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := text("Hola")
			r.Address = to(c.phone, c.userID)
			got := sent(t, r)
			require.Equal(t, c.want, got[c.key])
			require.False(t, got["to"] != nil && got["recipient"] != nil)
		})
	}
}

func TestEchoTravelsWithTheMessage(t *testing.T) {
	t.Parallel()

	r := text("Hola")
	r.Echo = "0b6b/0/1"
	require.Equal(t, "0b6b/0/1", sent(t, r)["biz_opaque_callback_data"])
}

func TestWhatCannotBeSentIsNotTried(t *testing.T) {
	t.Parallel()

	server := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: accepted})
	client := whatsapp.New(whatsapp.Config{BaseURL: server.URL})
	for name, c := range map[string]struct {
		credentials channels.Credentials
		request     channels.SendRequest
		class       channels.Class
	}{
		"NoRecipient":         {credentials(), channels.SendRequest{Part: channels.Part{Text: "a"}}, channels.ClassInvalid},
		"TelegramRecipient":   {credentials(), channels.SendRequest{Address: channels.Address{Telegram: &channels.TelegramChat{ID: 1}}}, channels.ClassInvalid},
		"ElevenButtons":       {credentials(), withButtons("a", titles(11, "Opción")...), channels.ClassInvalid},
		"NoToken":             {channels.Credentials{PhoneNumberID: "1"}, text("a"), channels.ClassStopIntegration},
		"TokenWithLineBreak":  {channels.Credentials{PhoneNumberID: "1", AccessToken: "EAACANARY\n"}, text("a"), channels.ClassStopIntegration},
		"NumberThatIsAPath":   {channels.Credentials{PhoneNumberID: "1/../2", AccessToken: "EAACANARY"}, text("a"), channels.ClassStopIntegration},
		"NumberThatIsMissing": {channels.Credentials{AccessToken: "EAACANARY"}, text("a"), channels.ClassStopIntegration},
	} {
		_, err := client.Send(t.Context(), c.credentials, c.request)
		require.Equal(t, c.class, failure(t, err).Class, name)
	}
	require.Empty(t, server.Calls())
}

// TestAnswersHaveTheirClass is our own table; TestRecordedResponsesHaveTheirClass has more.
func TestAnswersHaveTheirClass(t *testing.T) {
	t.Parallel()

	graph := func(code string) string {
		return `{"error":{"message":"(#1) no","type":"OAuthException","code":` + code + `,"error_data":{"details":"why"}}}`
	}
	for name, c := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   channels.SendError
	}{
		"ServiceUnavailable":    {status: 500, body: graph("131016"), want: channels.SendError{Class: channels.ClassRetry, Code: 131016}},
		"StatusDoesNotMatter":   {status: 200, body: graph("2"), want: channels.SendError{Class: channels.ClassRetry, Code: 2}},
		"Throughput":            {status: 429, body: graph("130429"), want: channels.SendError{Class: channels.ClassThrottled, Code: 130429, RetryAfter: 2 * time.Second}},
		"ThroughputWithHeader":  {status: 429, header: map[string]string{"Retry-After": "9"}, body: graph("130429"), want: channels.SendError{Class: channels.ClassThrottled, Code: 130429, RetryAfter: 9 * time.Second}},
		"AppCalls":              {status: 400, body: graph("4"), want: channels.SendError{Class: channels.ClassThrottled, Code: 4, RetryAfter: 5 * time.Minute}},
		"Maintenance":           {status: 400, body: graph("131057"), want: channels.SendError{Class: channels.ClassThrottled, Code: 131057, RetryAfter: time.Minute}},
		"Pair":                  {status: 400, body: graph("131056"), want: channels.SendError{Class: channels.ClassPairThrottled, Code: 131056}},
		"Window":                {status: 400, body: graph("131047"), want: channels.SendError{Class: channels.ClassWindowClosed, Code: 131047}},
		"Token":                 {status: 401, body: graph("190"), want: channels.SendError{Class: channels.ClassStopIntegration, Code: 190}},
		"CodeZero":              {status: 401, body: graph("0"), want: channels.SendError{Class: channels.ClassStopIntegration, Code: 0}},
		"Permission":            {status: 403, body: graph("273"), want: channels.SendError{Class: channels.ClassStopIntegration, Code: 273}},
		"NotOnWhatsApp":         {status: 400, body: graph("131026"), want: channels.SendError{Class: channels.ClassDropRecipient, Code: 131026}},
		"Parameter":             {status: 400, body: graph("100"), want: channels.SendError{Class: channels.ClassInvalid, Code: 100}},
		"UnknownCode":           {status: 400, body: graph("999999"), want: channels.SendError{Class: channels.ClassInvalid, Code: 999999}},
		"ErrorWithoutCode":      {status: 500, body: `{"error":{"message":"upstream"}}`, want: channels.SendError{Class: channels.ClassInDoubt}},
		"ErrorOfAnotherShape":   {status: 503, body: `{"error":"upstream"}`, want: channels.SendError{Class: channels.ClassInDoubt}},
		"HTML":                  {status: 502, body: "<html>", want: channels.SendError{Class: channels.ClassInDoubt}},
		"NothingAtAll":          {status: 500, want: channels.SendError{Class: channels.ClassInDoubt}},
		"AcceptedWithoutID":     {status: 200, body: `{"messages":[]}`, want: channels.SendError{Class: channels.ClassInDoubt}},
		"AcceptedUnreadable":    {status: 200, body: `{"messages":`, want: channels.SendError{Class: channels.ClassInDoubt}},
		"ProxyRefuses":          {status: 407, body: "proxy", want: channels.SendError{Class: channels.ClassRetry}},
		"Redirect":              {status: 302, body: "", want: channels.SendError{Class: channels.ClassRetry}},
		"TokenQuotedByProvider": {status: 400, body: strings.Replace(graph("190"), "no", "Malformed access token EAACANARY", 1), want: channels.SendError{Class: channels.ClassStopIntegration, Code: 190}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := send(t, text("Hola"), fakeapi.Answer{Status: c.status, Header: c.header, Body: c.body})
			got := failure(t, err)
			require.NotEmpty(t, got.Message)
			require.Equal(t, c.want, channels.SendError{Class: got.Class, Code: got.Code, RetryAfter: got.RetryAfter})
		})
	}
}

func TestLostAnswersAreInDoubtAndUnsentOnesAreNot(t *testing.T) {
	t.Parallel()

	_, _, err := send(t, text("Hola"), fakeapi.Cut())
	require.Equal(t, channels.ClassInDoubt, failure(t, err).Class)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	hanging := whatsapp.New(whatsapp.Config{BaseURL: fakeapi.New(t, fakeapi.Hang()).URL})
	_, err = hanging.Send(ctx, credentials(), text("Hola"))
	require.Equal(t, channels.ClassInDoubt, failure(t, err).Class)

	nowhere := whatsapp.New(whatsapp.Config{BaseURL: "http://127.0.0.1:1"})
	_, err = nowhere.Send(t.Context(), credentials(), text("Hola"))
	require.Equal(t, channels.ClassRetry, failure(t, err).Class)
}
