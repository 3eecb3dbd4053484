package edge

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/status"

	grpccodes "google.golang.org/grpc/codes"
)

func TestAWebhookBeginsATraceOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	const strangers = "0af7651916cd43dd8448eb211c80319c"
	body := textBody("wamid.1", "a canary")
	answer := s.do(t, http.MethodPost, whatsAppURL+"?secret=canary", strings.NewReader(body), http.Header{
		"X-Hub-Signature-256": {sign(appSecret, []byte(body))}, "Traceparent": {"00-" + strangers + "-b7ad6b7169203331-01"},
	})
	require.Equal(t, http.StatusOK, answer.status)

	require.Eventually(t, func() bool { return len(s.spans.Ended()) == 2 }, soon, often)
	call, webhook := s.spans.Ended()[0], s.spans.Ended()[1]
	require.Equal(t, "POST /api/integrations/webhooks/whatsapp", webhook.Name())
	require.Contains(t, webhook.Attributes(), attribute.Int("http.response.status_code", http.StatusOK))
	require.Equal(t, webhook.SpanContext().SpanID(), call.Parent().SpanID())
	for _, span := range []sdktrace.ReadOnlySpan{call, webhook} {
		require.NotEqual(t, strangers, span.SpanContext().TraceID().String(), "a stranger chooses no trace")
		for _, a := range span.Attributes() {
			require.NotContains(t, a.Value.String(), "canary")
		}
	}
}

func TestAcknowledgementsAreMeasuredByStatus(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := textBody("wamid.1", "hola")
	require.Equal(t, http.StatusOK, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
	require.Equal(t, http.StatusUnauthorized, s.postTelegram(t, "{}", "wrong").status)
	s.conversation.fail(status.Error(grpccodes.Unavailable, "away"))
	require.Equal(t, http.StatusServiceUnavailable, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
	require.Equal(t, http.StatusNotFound, s.do(t, http.MethodPost, "/other", nil, nil).status)
	require.Equal(t, http.StatusForbidden, s.do(t, http.MethodGet, whatsAppURL, nil, nil).status)

	require.Eventually(t, func() bool { return testutil.CollectAndCount(s.metrics, "knobot_gateway_webhook_seconds") == 3 }, soon, often,
		"what is no webhook is not measured")
	failed := 0
	for _, span := range s.spans.Ended() {
		if strings.HasPrefix(span.Name(), "POST") && span.Status().Code == codes.Error {
			failed++
		}
	}
	require.Equal(t, 1, failed, "a stranger's webhook is no fault of ours")
}
