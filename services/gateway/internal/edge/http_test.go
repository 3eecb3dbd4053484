package edge

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
)

func handshake(token string) string {
	return "?" + url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {token}}.Encode()
}

func TestEveryRequestHasItsStatus(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := textBody("wamid.1", "hola")
	signed := http.Header{"X-Hub-Signature-256": {sign(appSecret, []byte(body))}}
	update := `{"update_id":1,"message":{"message_id":2,"date":1795000000,"chat":{"id":3,"type":"private"},"from":{"id":3},"text":"hola"}}`
	secret := http.Header{"X-Telegram-Bot-Api-Secret-Token": {botSecret}}
	with := func(h http.Header, name, value string) http.Header {
		h = h.Clone()
		h.Set(name, value)
		return h
	}
	const whatsApp, telegram = "/api/integrations/webhooks/whatsapp", "/api/integrations/webhooks/telegram"
	for name, c := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
		allow              string
	}{
		"whatsapp":                     {"POST", whatsApp, body, signed, 200, ""},
		"whatsapp with slash":          {"POST", whatsApp + "/", body, signed, 200, ""},
		"whatsapp with query":          {"POST", whatsApp + "?body.data=x&hub.mode=subscribe", body, signed, 200, ""},
		"whatsapp with two slashes":    {"POST", whatsApp + "//", body, signed, 404, ""},
		"whatsapp as a form":           {"POST", whatsApp, body, with(signed, "Content-Type", "application/x-www-form-urlencoded"), 200, ""},
		"whatsapp as text":             {"POST", whatsApp, body, with(signed, "Content-Type", "text/plain"), 200, ""},
		"override to GET":              {"POST", whatsApp, body, with(signed, "X-Http-Method-Override", "GET"), 200, ""},
		"override to DELETE":           {"POST", whatsApp, body, with(signed, "X-Http-Method-Override", "DELETE"), 200, ""},
		"deadline in a header":         {"POST", whatsApp, body, with(signed, "Grpc-Timeout", "1n"), 200, ""},
		"whatsapp unsigned":            {"POST", whatsApp, body, nil, 401, ""},
		"whatsapp forged":              {"POST", whatsApp, body, http.Header{"X-Hub-Signature-256": {sign("x", []byte(body))}}, 401, ""},
		"whatsapp with bot's secret":   {"POST", whatsApp, body, secret, 401, ""},
		"signature as grpc metadata":   {"POST", whatsApp, body, http.Header{"Grpc-Metadata-X-Hub-Signature-256": signed["X-Hub-Signature-256"]}, 401, ""},
		"whatsapp packed":              {"POST", whatsApp, body, with(signed, "Content-Encoding", "gzip"), 415, ""},
		"whatsapp identity":            {"POST", whatsApp, body, with(signed, "Content-Encoding", "identity"), 200, ""},
		"signed, not JSON":             {"POST", whatsApp, "{", http.Header{"X-Hub-Signature-256": {sign(appSecret, []byte("{"))}}, 400, ""},
		"signed, empty":                {"POST", whatsApp, "", http.Header{"X-Hub-Signature-256": {sign(appSecret, nil)}}, 400, ""},
		"signed, unknown":              {"POST", whatsApp, "[]", http.Header{"X-Hub-Signature-256": {sign(appSecret, []byte("[]"))}}, 200, ""},
		"telegram":                     {"POST", telegram, update, secret, 200, ""},
		"telegram with slash":          {"POST", telegram + "/", update, secret, 200, ""},
		"telegram without secret":      {"POST", telegram, update, nil, 401, ""},
		"telegram with another secret": {"POST", telegram, update, http.Header{"X-Telegram-Bot-Api-Secret-Token": {"x"}}, 401, ""},
		"telegram not JSON":            {"POST", telegram, "x", secret, 400, ""},
		"telegram unknown":             {"POST", telegram, `{"update_id":5,"from_the_future":{}}`, secret, 200, ""},
		"handshake":                    {"GET", whatsApp + "/" + handshake(verifyToken), "", nil, 200, ""},
		"handshake without slash":      {"GET", whatsApp + handshake(verifyToken), "", nil, 200, ""},
		"handshake, wrong token":       {"GET", whatsApp + handshake("wrong"), "", nil, 403, ""},
		"handshake, no parameters":     {"GET", whatsApp, "", nil, 403, ""},
		"handshake, no challenge":      {"GET", whatsApp + strings.Replace(handshake(verifyToken), "1158201444", "", 1), "", nil, 400, ""},
		"handshake, not UTF-8":         {"GET", whatsApp + handshake(verifyToken) + "&x=%ff", "", nil, 400, ""},
		"handshake, bad escape":        {"GET", whatsApp + handshake(verifyToken) + "&x=%zz", "", nil, 400, ""},
		"handshake, token twice":       {"GET", whatsApp + handshake(verifyToken) + "&hub.verify_token=x", "", nil, 400, ""},
		"handshake with a body":        {"GET", whatsApp + handshake(verifyToken), "x", nil, 200, ""},
		"head":                         {"HEAD", whatsApp, "", nil, 405, "GET, POST"},
		"put":                          {"PUT", whatsApp, body, signed, 405, "GET, POST"},
		"delete":                       {"DELETE", whatsApp + "/", "", nil, 405, "GET, POST"},
		"options":                      {"OPTIONS", whatsApp, "", nil, 405, "GET, POST"},
		"unheard-of method":            {"BREW", whatsApp, "", nil, 405, "GET, POST"},
		"telegram GET":                 {"GET", telegram, "", nil, 405, "POST"},
		"telegram PATCH":               {"PATCH", telegram + "/", "", secret, 405, "POST"},
		"root":                         {"GET", "/", "", nil, 404, ""},
		"other platform":               {"POST", "/api/integrations/webhooks/signal/", body, signed, 404, ""},
		"parent":                       {"GET", "/api/integrations/webhooks/", "", nil, 404, ""},
		"upper case":                   {"POST", strings.ToUpper(whatsApp), body, signed, 404, ""},
		"grpc path":                    {"POST", "/knobot.gateway.v1.WebhookService/ReceiveWhatsAppWebhook", body, signed, 404, ""},
		"metrics":                      {"GET", "/metrics", "", nil, 404, ""},
		"health":                       {"GET", "/healthz", "", nil, 404, ""},
		"verb":                         {"POST", whatsApp + ":x", body, signed, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.do(t, c.method, c.path, strings.NewReader(c.body), c.header)
			require.Equal(t, c.status, got.status, got.body)
			require.Equal(t, c.allow, got.header.Get("Allow"))
			require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
			require.Empty(t, got.header.Get("Location"))
			if c.status >= 400 && c.method != http.MethodHead {
				require.Regexp(t, `^\{"error":"[a-z ]+"\}$`, got.body)
			}
		})
	}
}

func TestChallengeIsEchoedAsPlainText(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, challenge := range []string{"1158201444", "<script>alert(1)</script>", "ñ\n\"x\"", strings.Repeat("9", 5000)} {
		query := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {challenge}, "hub.verify_token": {verifyToken}}
		got := s.do(t, http.MethodGet, whatsAppURL+"?"+query.Encode(), nil, nil)
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, challenge, got.body)
		require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
	}
}

func TestAcknowledgementComesAfterStoring(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := textBody("wamid.1", "hola")
	signature := sign(appSecret, []byte(body))
	for _, err := range []error{
		status.Error(codes.Unavailable, "x"), status.Error(codes.Internal, "x"), status.Error(codes.InvalidArgument, "x"),
		status.Error(codes.DeadlineExceeded, "x"), status.Error(codes.ResourceExhausted, "x"), status.Error(codes.Unauthenticated, "x"),
	} {
		s.conversation.fail(err)
		got := s.postWhatsApp(t, body, signature)
		require.Equal(t, http.StatusServiceUnavailable, got.status, err)
		require.NotEmpty(t, got.header.Get("Retry-After"))
		require.Equal(t, `{"error":"service unavailable"}`, got.body)
	}
	s.conversation.fail(nil)
	got := s.postWhatsApp(t, body, signature)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, `{"ok":true}`, got.body)
	stored := s.conversation.stored()
	require.Len(t, stored, 1)
	require.Equal(t, body, string(stored[0].GetPayload()))
	require.Equal(t, "msg:wamid.1", stored[0].GetEvents()[0].GetKey())
	require.Equal(t, "int-wa", stored[0].GetEvents()[0].GetIntegrationId())
}

func TestVerifyTokenCannotBeGuessedFast(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for range 20 {
		require.Equal(t, http.StatusForbidden, s.do(t, http.MethodGet, whatsAppURL+handshake("wrong"), nil, nil).status)
	}
	got := s.do(t, http.MethodGet, whatsAppURL+handshake(verifyToken), nil, nil)
	require.Equal(t, http.StatusTooManyRequests, got.status, "also the right one, for a minute")
	body := textBody("wamid.1", "hola")
	require.Equal(t, http.StatusOK, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status, "webhooks go on")
}

func TestUnknownCredentialsAre503NotRefused(t *testing.T) {
	t.Parallel()
	s := newUnsyncedStack(t, defaultCredentials())
	body := textBody("wamid.1", "hola")
	for range 3 {
		require.Equal(t, http.StatusServiceUnavailable, s.postWhatsApp(t, body, "sha256=x").status)
		require.Equal(t, http.StatusServiceUnavailable, s.postTelegram(t, "{}", botSecret).status)
		got := s.do(t, http.MethodGet, whatsAppURL+handshake(verifyToken), nil, nil)
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.NotEmpty(t, got.header.Get("Retry-After"))
	}
	close(s.channels.synced)
	require.Eventually(t, s.table.Synced, soon, often)
	require.Equal(t, http.StatusOK, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
	require.Empty(t, s.conversation.refused())
}

func TestPeerIsTheTCPPeer(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := textBody("wamid.1", "hola")
	header := http.Header{
		"X-Hub-Signature-256": {sign(appSecret, []byte(body))}, "X-Forwarded-For": {"203.0.113.9"}, "X-Real-Ip": {"203.0.113.9"},
		"X-Knobot-Remote-Address": {"203.0.113.9"}, "Grpc-Metadata-X-Knobot-Remote-Address": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"},
	}
	require.Equal(t, http.StatusOK, s.do(t, http.MethodPost, whatsAppURL, strings.NewReader(body), header).status)
	require.Equal(t, "127.0.0.1", s.conversation.stored()[0].GetRemoteAddress())
}

func TestRefusalsAreNotedWithoutBody(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.postWhatsApp(t, "{}", sign("x", []byte("{}")))
	s.do(t, http.MethodPost, whatsAppURL, strings.NewReader("{}"), nil)
	s.postWhatsApp(t, "{", sign(appSecret, []byte("{")))
	s.postTelegram(t, "{}", "wrong")
	s.do(t, http.MethodGet, whatsAppURL+handshake("wrong"), nil, nil)
	s.postWhatsApp(t, strings.Repeat("x", 4<<20+1), "")
	require.Eventually(t, func() bool { return len(s.conversation.refused()) == 6 }, soon, often)
	var reasons []conversationv1.RejectionReason
	for _, r := range s.conversation.refused() {
		require.Equal(t, "127.0.0.1", r.GetRemoteAddress())
		reasons = append(reasons, r.GetReason())
	}
	require.Equal(t, []conversationv1.RejectionReason{
		conversationv1.RejectionReason_REJECTION_REASON_WRONG_CREDENTIAL,
		conversationv1.RejectionReason_REJECTION_REASON_MISSING_CREDENTIAL,
		conversationv1.RejectionReason_REJECTION_REASON_MALFORMED_BODY,
		conversationv1.RejectionReason_REJECTION_REASON_WRONG_CREDENTIAL,
		conversationv1.RejectionReason_REJECTION_REASON_WRONG_VERIFY_TOKEN,
		conversationv1.RejectionReason_REJECTION_REASON_BODY_TOO_LARGE,
	}, reasons)
	require.Equal(t, typev1.Platform_PLATFORM_TELEGRAM, s.conversation.refused()[3].GetPlatform())
	require.Empty(t, s.conversation.stored())
}

func TestUnsignedBodiesCountForNumbersThatTakeThem(t *testing.T) {
	t.Parallel()
	credentials := defaultCredentials()
	credentials = append(credentials, &channelsv1.Credentials{
		IntegrationId: "int-open", Platform: typev1.Platform_PLATFORM_WHATSAPP, State: channelsv1.Integration_STATE_ENABLED,
		PhoneNumberId: "200000000000005", AllowUnsigned: true,
	})
	s := newStack(t, credentials...)
	post := func(body string) int {
		return s.do(t, http.MethodPost, whatsAppURL, strings.NewReader(body), nil).status
	}
	forOpen := strings.Replace(textBody("wamid.open", "hola"), ourNumber, "200000000000005", 1)
	require.Equal(t, http.StatusOK, post(forOpen))
	require.Equal(t, "int-open", s.conversation.stored()[0].GetEvents()[0].GetIntegrationId())
	require.Equal(t, http.StatusUnauthorized, post(textBody("wamid.closed", "hola")))
	require.Equal(t, http.StatusUnauthorized, s.postWhatsApp(t, forOpen, sign("x", []byte(forOpen))).status)
	require.Len(t, s.conversation.stored(), 1)
}

func TestSameServiceOverGRPC(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	conn := serve(t, func(r grpc.ServiceRegistrar) {
		gatewayv1.RegisterWebhookServiceServer(r, rpcapi.NewWebhook(s.receiver, rpcapi.PeerAddress))
	})
	client := gatewayv1.NewWebhookServiceClient(conn)
	body := []byte(textBody("wamid.grpc", "hola"))
	call := func(pairs ...string) error {
		_, err := client.ReceiveWhatsAppWebhook(metadata.AppendToOutgoingContext(t.Context(), pairs...),
			&gatewayv1.ReceiveWhatsAppWebhookRequest{Body: &httpbody.HttpBody{Data: body}})
		return err
	}
	require.NoError(t, call("x-hub-signature-256", sign(appSecret, body), remoteKey, "203.0.113.9"))
	require.Equal(t, "127.0.0.1", s.conversation.stored()[0].GetRemoteAddress())
	require.Equal(t, codes.Unauthenticated, status.Code(call()))
	body = make([]byte, 4<<20+1)
	require.Equal(t, codes.InvalidArgument, status.Code(call("x-hub-signature-256", sign(appSecret, body))))
	got, err := client.VerifyWhatsAppWebhook(t.Context(), &gatewayv1.VerifyWhatsAppWebhookRequest{
		Hub: &gatewayv1.VerifyWhatsAppWebhookRequest_Hub{Mode: "subscribe", Challenge: "7", VerifyToken: verifyToken},
	})
	require.NoError(t, err)
	require.Equal(t, "7", string(got.GetBody().GetData()))
	_, err = client.ReceiveTelegramWebhook(t.Context(), &gatewayv1.ReceiveTelegramWebhookRequest{})
	require.Equal(t, codes.Unauthenticated, status.Code(err))
}
