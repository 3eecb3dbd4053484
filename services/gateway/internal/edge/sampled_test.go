package edge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
)

func TestFloodOfForgeriesIsNotAFloodOfLogsAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	core, logs := observer.New(zap.DebugLevel)
	local := rpc.NewLocal(Sampled(zap.New(core)))
	gatewayv1.RegisterWebhookServiceServer(local, rpcapi.NewWebhook(s.receiver, RemoteAddress))
	client := gatewayv1.NewWebhookServiceClient(local)
	body := []byte(textBody("wamid.secret-text", "mi clave es 1234"))
	for range 2000 {
		ctx := metadata.AppendToOutgoingContext(t.Context(), rpcapi.SignatureKey, sign("wrong", body))
		_, err := client.ReceiveWhatsAppWebhook(ctx, &gatewayv1.ReceiveWhatsAppWebhookRequest{Body: &httpbody.HttpBody{Data: body}})
		require.Equal(t, codes.Unauthenticated, status.Code(err))
		require.Equal(t, "unauthorized", status.Convert(err).Message())
	}
	require.NotZero(t, logs.Len())
	require.Less(t, logs.Len(), 1000)
	for _, entry := range logs.All() {
		line := entry.Message
		for _, field := range entry.Context {
			line += " " + field.String
			if field.Interface != nil {
				line += " " + strings.TrimSpace(stringOf(field.Interface))
			}
		}
		for _, secret := range []string{"1234", "wamid", appSecret, sign(appSecret, body), sign("wrong", body)} {
			require.NotContains(t, line, secret)
		}
	}
}

func stringOf(v any) string {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return ""
}
