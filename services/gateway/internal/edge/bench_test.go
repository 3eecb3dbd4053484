package edge

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/conversation"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
	"github.com/knobot/knobot/services/gateway/internal/verification"
	"github.com/knobot/knobot/services/gateway/internal/webhook"
)

// BenchmarkAcknowledge is what the edge costs a webhook: HTTP, HMAC, decoding and the gRPC call behind it, nothing stored.
func BenchmarkAcknowledge(b *testing.B) {
	table := &verification.Table{}
	table.Replace([]verification.Credentials{{
		Integration: "a", Platform: gateway.WhatsApp, PhoneNumberID: ourNumber, AppSecrets: [][]byte{[]byte(appSecret)},
	}})
	forgetful := serve(b, func(r grpc.ServiceRegistrar) {
		conversationv1.RegisterIngestServiceServer(r, forgetfulConversation{})
	})
	store := conversation.New(forgetful)
	receiver := webhook.NewReceiver(table, store, webhook.NewNotes(store, zap.NewNop(), prometheus.NewRegistry()))
	local := rpc.NewLocal(zap.NewNop())
	gatewayv1.RegisterWebhookServiceServer(local, rpcapi.NewWebhook(receiver, RemoteAddress))
	mux, err := NewMux(b.Context(), local)
	require.NoError(b, err)
	server := httptest.NewServer(NewHandler(mux, receiver, Sources{}))
	defer server.Close()

	body := []byte(textBody("wamid.1", "hola"))
	signature := sign(appSecret, body)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := http.NewRequest(http.MethodPost, server.URL+whatsAppURL, bytes.NewReader(body))
			req.Header.Set("X-Hub-Signature-256", signature)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusOK {
				b.Error(err, resp)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}

type forgetfulConversation struct {
	conversationv1.UnimplementedIngestServiceServer
}

func (forgetfulConversation) IngestWebhook(context.Context, *conversationv1.IngestWebhookRequest) (*conversationv1.IngestWebhookResponse, error) {
	return &conversationv1.IngestWebhookResponse{}, nil
}
