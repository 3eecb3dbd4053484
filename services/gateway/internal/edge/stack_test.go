package edge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/gateway/internal/conversation"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
	"github.com/knobot/knobot/services/gateway/internal/verification"
	"github.com/knobot/knobot/services/gateway/internal/webhook"
)

const (
	appSecret   = "app-secret-of-the-tests"
	botSecret   = "Bot-Secret_1"
	verifyToken = "verify-token-ñ"
	ourNumber   = "200000000000001"

	whatsAppURL = "/api/integrations/webhooks/whatsapp/"
	telegramURL = "/api/integrations/webhooks/telegram/"

	soon, often = 20 * time.Second, 5 * time.Millisecond
)

// fakeConversation is a conversation service that keeps what it is given.
type fakeConversation struct {
	conversationv1.UnimplementedIngestServiceServer
	mu       sync.Mutex
	ingested []*conversationv1.IngestWebhookRequest
	rejected []*conversationv1.RecordRejectedWebhookRequest
	err      error
}

func (f *fakeConversation) IngestWebhook(_ context.Context, r *conversationv1.IngestWebhookRequest) (*conversationv1.IngestWebhookResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	f.ingested = append(f.ingested, r)
	return &conversationv1.IngestWebhookResponse{WebhookLogId: "1"}, nil
}

func (f *fakeConversation) RecordRejectedWebhook(_ context.Context, r *conversationv1.RecordRejectedWebhookRequest) (*conversationv1.RecordRejectedWebhookResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rejected = append(f.rejected, r)
	return &conversationv1.RecordRejectedWebhookResponse{}, nil
}

func (f *fakeConversation) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeConversation) stored() []*conversationv1.IngestWebhookRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ingested
}

func (f *fakeConversation) refused() []*conversationv1.RecordRejectedWebhookRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rejected
}

// fakeChannels is a channels service that sends its credentials once the test lets it.
type fakeChannels struct {
	channelsv1.UnimplementedVerificationServiceServer
	credentials []*channelsv1.Credentials
	synced      chan struct{}
}

func (f *fakeChannels) Watch(_ *channelsv1.WatchRequest, stream grpc.ServerStreamingServer[channelsv1.WatchResponse]) error {
	for _, c := range f.credentials {
		if err := stream.Send(&channelsv1.WatchResponse{News: &channelsv1.WatchResponse_Credentials{Credentials: c}}); err != nil {
			return err
		}
	}
	select {
	case <-f.synced:
		_ = stream.Send(&channelsv1.WatchResponse{News: &channelsv1.WatchResponse_Synced{Synced: &channelsv1.Synced{}}})
	case <-stream.Context().Done():
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

// stack is the gateway as main wires it, between real gRPC servers, behind a real HTTP server.
type stack struct {
	*httptest.Server
	handler      *Handler
	conversation *fakeConversation
	channels     *fakeChannels
	table        *verification.Table
	receiver     *webhook.Receiver
	spans        *tracetest.SpanRecorder
	metrics      *prometheus.Registry
}

func digestOf(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func defaultCredentials() []*channelsv1.Credentials {
	return []*channelsv1.Credentials{
		{
			IntegrationId: "int-wa", Platform: typev1.Platform_PLATFORM_WHATSAPP, State: channelsv1.Integration_STATE_ENABLED,
			PhoneNumberId: ourNumber, AppSecrets: [][]byte{[]byte(appSecret)}, VerifyTokenSha256: digestOf(verifyToken),
		},
		{
			IntegrationId: "int-tg", Platform: typev1.Platform_PLATFORM_TELEGRAM, State: channelsv1.Integration_STATE_ENABLED,
			WebhookSecretSha256: [][]byte{digestOf(botSecret)}, BotId: 7000000001, BotUsername: "knobot_test_bot",
		},
	}
}

// newStack starts a stack that knows the credentials.
func newStack(t testing.TB, credentials ...*channelsv1.Credentials) *stack {
	t.Helper()
	if credentials == nil {
		credentials = defaultCredentials()
	}
	s := newUnsyncedStack(t, credentials)
	close(s.channels.synced)
	require.Eventually(t, s.table.Synced, soon, often)
	return s
}

func newUnsyncedStack(t testing.TB, credentials []*channelsv1.Credentials) *stack {
	t.Helper()
	s := &stack{
		conversation: &fakeConversation{}, table: &verification.Table{},
		channels: &fakeChannels{credentials: credentials, synced: make(chan struct{})},
		spans:    tracetest.NewSpanRecorder(), metrics: prometheus.NewRegistry(),
	}
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans))
	conn := serve(t, func(r grpc.ServiceRegistrar) {
		conversationv1.RegisterIngestServiceServer(r, s.conversation)
		channelsv1.RegisterVerificationServiceServer(r, s.channels)
	})
	store := conversation.New(conn)
	notes := webhook.NewNotes(store, zap.NewNop(), prometheus.NewRegistry())
	s.receiver = webhook.NewReceiver(s.table, store, notes)
	local := rpc.NewLocal(zap.NewNop(), rpc.WithTracing(tracer))
	gatewayv1.RegisterWebhookServiceServer(local, rpcapi.NewWebhook(s.receiver, RemoteAddress))
	mux, err := NewMux(t.Context(), local)
	require.NoError(t, err)
	s.handler = NewHandler(mux, s.receiver, Sources{})
	s.Server = httptest.NewServer(NewTraced(s.handler, tracer, s.metrics))
	t.Cleanup(s.Close)
	background(t, notes.Run)
	background(t, verification.NewFeed(conn, s.table, zap.NewNop()).Run)
	return s
}

func background(t testing.TB, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
}

// serve starts a gRPC server of KnoBot's on loopback and returns a connection to it.
func serve(t testing.TB, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := rpc.NewServer(zap.NewNop())
	register(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(rpc.MaxMessageBytes)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *stack) do(t *testing.T, method, path string, body io.Reader, header http.Header) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	require.NoError(t, err)
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(raw)}
}

func (s *stack) postWhatsApp(t *testing.T, body, signature string) answer {
	t.Helper()
	return s.do(t, http.MethodPost, whatsAppURL, strings.NewReader(body), http.Header{"X-Hub-Signature-256": {signature}})
}

func (s *stack) postTelegram(t *testing.T, body, secret string) answer {
	t.Helper()
	return s.do(t, http.MethodPost, telegramURL, strings.NewReader(body), http.Header{"X-Telegram-Bot-Api-Secret-Token": {secret}})
}

func textBody(id, text string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"` +
		ourNumber + `"},"messages":[{"id":"` + id + `","from":"573005550111","timestamp":"1795000000","type":"text","text":{"body":"` + text + `"}}]}}]}]}`
}

// shared finds the folder of third-party reference data beside the repository, or skips the test.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	root := os.Getenv("KNOBOT_SHARED_DIR")
	for dir, err := os.Getwd(); root == "" && err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "go.work")); missing == nil {
			root = filepath.Join(filepath.Dir(dir), "shared")
		}
	}
	full := filepath.Join(append([]string{root, "reference"}, path...)...)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("no reference data: set KNOBOT_SHARED_DIR to a folder with reference/%s", filepath.Join(path...))
	}
	return full
}
