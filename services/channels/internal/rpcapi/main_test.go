package rpcapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/bucket"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/erasure"
	"github.com/knobot/knobot/services/channels/internal/integration"
	"github.com/knobot/knobot/services/channels/internal/media"
	"github.com/knobot/knobot/services/channels/internal/pacing"
	"github.com/knobot/knobot/services/channels/internal/postgres"
	"github.com/knobot/knobot/services/channels/internal/rpcapi"
	"github.com/knobot/knobot/services/channels/internal/telegram"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// call is what a provider was asked.
type call struct {
	path string
	body map[string]any
}

// providers is a Graph API and a Bot API on one address.
type providers struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer http.HandlerFunc
}

func newProviders(t *testing.T) *providers {
	t.Helper()
	p := &providers{}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// ServeHTTP answers as the providers do to what they accept, or as the test says.
func (p *providers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	c := call{path: r.URL.Path}
	_ = json.Unmarshal(raw, &c.body)
	p.mu.Lock()
	p.calls = append(p.calls, c)
	n, answer := len(p.calls), p.answer
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case answer != nil:
		answer(w, r)
	case method == "messages":
		_, _ = fmt.Fprintf(w, `{"messaging_product":"whatsapp","contacts":[{"input":"x","wa_id":"x"}],"messages":[{"id":"wamid.%d"}]}`, n)
	case method == "media":
		_, _ = fmt.Fprint(w, `{"id":"1013859600285441"}`)
	case strings.HasPrefix(method, "send") && method != "sendChatAction":
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"message_id":%d,"date":1,"chat":{"id":7,"type":"private"}}}`, n)
	case method == "getWebhookInfo":
		_, _ = fmt.Fprint(w, `{"ok":true,"result":{"url":"https://example.org/api/integrations/webhooks/telegram/","pending_update_count":3}}`)
	default:
		_, _ = fmt.Fprint(w, `{"ok":true,"result":true}`)
	}
}

func (p *providers) fail(status int, body string) {
	p.say(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// say makes the providers answer so from now on.
func (p *providers) say(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *providers) asked() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), p.calls...)
}

// bundle is the service as peers see it, over real clients, a real database and a real connection.
type bundle struct {
	*channelstest.Bundle
	providers    *providers
	library      *channelstest.Library
	draining     chan struct{}
	dir          string
	channels     channelsv1.ChannelServiceClient
	integrations channelsv1.IntegrationServiceClient
	verification channelsv1.VerificationServiceClient
	diagnostics  channelsv1.DiagnosticsServiceClient
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bundle: channelstest.New(t), providers: newProviders(t), library: channelstest.NewLibrary(), draining: make(chan struct{})}
	cloud := whatsapp.New(whatsapp.Config{BaseURL: b.providers.URL, Media: b.library})
	bots := telegram.New(telegram.Config{BaseURL: b.providers.URL, Media: b.library})
	b.Integrations = integration.New(integration.Config{
		Examiners: map[channels.Platform]integration.Examiner{channels.WhatsApp: cloud, channels.Telegram: bots},
	}, b.Store, bots, b.Log)
	b.Integrations.Seeded()
	config := delivery.Config{EchoWait: time.Minute, CallTimeout: 5 * time.Second, UploadTimeout: 5 * time.Second, Media: b.library}
	deliveries := delivery.New(config, b.Store, b.Integrations, pacing.New(pacing.DefaultLimits(), b.Store),
		map[channels.Platform]delivery.Provider{
			channels.WhatsApp: {Sender: cloud, Render: whatsapp.Render, Classify: whatsapp.Classify},
			channels.Telegram: {Sender: bots, Render: telegram.Render},
		}, b.Log)
	b.dir = t.TempDir()
	blobs, err := bucket.Open(t.Context(), "file://"+b.dir)
	require.NoError(t, err)
	t.Cleanup(blobs.Close)
	files := media.New(b.Store, blobs, delivery.NewCaller(b.Integrations, b.Log), b.Integrations,
		map[channels.Platform]channels.MediaSource{channels.WhatsApp: cloud, channels.Telegram: bots}, b.Log)
	t.Cleanup(files.Close)
	server := rpc.NewServer(b.Log)
	rpcapi.Register(server, deliveries, files, erasure.New(b.Store, blobs), b.Integrations, b.draining)
	rpcapi.RegisterDiagnostics(server, b.Integrations, func(ctx context.Context) []doctor.Finding {
		return doctor.Database(ctx, b.Pool, postgres.Schema())
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := rpc.Dial(listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	b.channels = channelsv1.NewChannelServiceClient(conn)
	b.integrations = channelsv1.NewIntegrationServiceClient(conn)
	b.verification = channelsv1.NewVerificationServiceClient(conn)
	b.diagnostics = channelsv1.NewDiagnosticsServiceClient(conn)
	return b
}

func user(integrationID string) *typev1.Address {
	return &typev1.Address{
		IntegrationId: integrationID, Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{PhoneNumber: "573001234567"}},
	}
}

func chat(integrationID string) *typev1.Address {
	return &typev1.Address{IntegrationId: integrationID, Recipient: &typev1.Address_Chat{Chat: &typev1.TelegramChat{Id: 7}}}
}

func send(requestID string, to *typev1.Address, text string) *channelsv1.SendMessageRequest {
	return &channelsv1.SendMessageRequest{RequestId: requestID, Address: to, Content: &channelsv1.Content{Text: text}}
}

func requireFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, reason, fault.ReasonOf(err), "%v", err)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
}
