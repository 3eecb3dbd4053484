package admin

import (
	"context"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/requestid"
	"github.com/knobot/knobot/services/gateway/internal/edge"
)

// newREST makes grpc-gateway's mux in front of conn. Its options close what grpc-gateway leaves open: a method in a header or a
// form, headers that become metadata, metadata that becomes headers.
func newREST(ctx context.Context, conn grpc.ClientConnInterface, known routes) (*runtime.ServeMux, error) {
	none := func(string) (string, bool) { return "", false }
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler()),
		runtime.WithIncomingHeaderMatcher(incomingHeader),
		runtime.WithOutgoingHeaderMatcher(none),
		runtime.WithOutgoingTrailerMatcher(none),
		runtime.WithMetadata(edge.RemoteMetadata),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithRoutingErrorHandler(known.refuse),
		runtime.WithErrorHandler(callError),
		runtime.WithStreamErrorHandler(streamError),
		runtime.WithForwardResponseRewriter(wholeBody),
	)
	for _, register := range services() {
		if err := register(ctx, mux, conn); err != nil {
			return nil, err
		}
	}
	return mux, nil
}

// wholeBody unwraps a piece of a document that is no message: grpc-gateway would put each into an object of its own.
func wholeBody(_ context.Context, m proto.Message) (any, error) {
	if wrapped, ok := m.(interface{ XXX_ResponseBody() any }); ok {
		if body, ok := wrapped.XXX_ResponseBody().(*httpbody.HttpBody); ok {
			return body, nil
		}
	}
	return m, nil
}

type registration func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error

// services are those that people may call. What services say to each other is not among them.
func services() []registration {
	return []registration{
		client(gatewayv1.NewApiKeyServiceClient, gatewayv1.RegisterApiKeyServiceHandlerClient),
		client(gatewayv1.NewAuditServiceClient, gatewayv1.RegisterAuditServiceHandlerClient),
		client(conversationv1.NewConversationServiceClient, conversationv1.RegisterConversationServiceHandlerClient),
		client(conversationv1.NewUserServiceClient, conversationv1.RegisterUserServiceHandlerClient),
		client(conversationv1.NewWebhookLogServiceClient, conversationv1.RegisterWebhookLogServiceHandlerClient),
		client(conversationv1.NewDiagnosticsServiceClient, conversationv1.RegisterDiagnosticsServiceHandlerClient),
		client(ragv1.NewDiagnosticsServiceClient, ragv1.RegisterDiagnosticsServiceHandlerClient),
		client(channelsv1.NewDiagnosticsServiceClient, channelsv1.RegisterDiagnosticsServiceHandlerClient),
		client(conversationv1.NewSubscriptionServiceClient, conversationv1.RegisterSubscriptionServiceHandlerClient),
		client(channelsv1.NewIntegrationServiceClient, channelsv1.RegisterIntegrationServiceHandlerClient),
		client(ragv1.NewAnswerServiceClient, ragv1.RegisterAnswerServiceHandlerClient),
		client(ragv1.NewKnowledgeBaseServiceClient, ragv1.RegisterKnowledgeBaseServiceHandlerClient),
		client(ragv1.NewDocumentServiceClient, ragv1.RegisterDocumentServiceHandlerClient),
		client(ragv1.NewIngestionServiceClient, ragv1.RegisterIngestionServiceHandlerClient),
		client(ragv1.NewSourceServiceClient, ragv1.RegisterSourceServiceHandlerClient),
		client(ragv1.NewFeedbackServiceClient, ragv1.RegisterFeedbackServiceHandlerClient),
		client(ragv1.NewUsageServiceClient, ragv1.RegisterUsageServiceHandlerClient),
	}
}

// client binds the generated registration of a service to its generated client.
func client[C any](dial func(grpc.ClientConnInterface) C, register func(context.Context, *runtime.ServeMux, C) error) registration {
	return func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
		return register(ctx, mux, dial(conn))
	}
}

// marshaler writes every field but messages that are not there, so that what a client reads does not depend on values, and
// refuses fields that it does not know: a typing error shall not pass for a default.
func marshaler() runtime.Marshaler {
	return &runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true}}
}

// incomingHeader lets the request id through; grpc-gateway itself adds authorization.
func incomingHeader(name string) (string, bool) {
	return requestid.Header, strings.EqualFold(name, requestid.Header)
}
