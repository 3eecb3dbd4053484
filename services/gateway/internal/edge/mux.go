package edge

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/requestid"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
)

// remoteKey is the metadata key under which the edge tells its own gRPC server who the TCP peer is.
const remoteKey = "x-knobot-remote-address"

// NewMux makes the grpc-gateway mux of the webhook routes in front of conn, which passes all interceptors as grpc-gateway's own
// in-process registration would not. Its options close what grpc-gateway leaves
// open by default: a POST may be turned into a GET by a header or a form, and any header may become metadata.
func NewMux(ctx context.Context, conn grpc.ClientConnInterface) (*runtime.ServeMux, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, rawBody{&runtime.JSONPb{}}),
		runtime.WithIncomingHeaderMatcher(incomingHeader),
		runtime.WithOutgoingHeaderMatcher(outgoingHeader),
		runtime.WithMetadata(RemoteMetadata),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithRoutingErrorHandler(routingError),
		runtime.WithErrorHandler(callError),
	)
	return mux, gatewayv1.RegisterWebhookServiceHandlerClient(ctx, mux, gatewayv1.NewWebhookServiceClient(conn))
}

// credentialHeaders are the only headers that become metadata, in canonical form.
func credentialHeaders() []string {
	return []string{http.CanonicalHeaderKey(rpcapi.SignatureKey), http.CanonicalHeaderKey(rpcapi.SecretKey)}
}

func incomingHeader(name string) (string, bool) {
	switch http.CanonicalHeaderKey(name) {
	case http.CanonicalHeaderKey(rpcapi.SignatureKey):
		return rpcapi.SignatureKey, true
	case http.CanonicalHeaderKey(rpcapi.SecretKey):
		return rpcapi.SecretKey, true
	default:
		return "", false
	}
}

func outgoingHeader(name string) (string, bool) {
	return http.CanonicalHeaderKey(name), name == requestid.Header
}

// RemoteMetadata tells who the TCP peer of a request is, for RemoteAddress to read.
func RemoteMetadata(_ context.Context, r *http.Request) metadata.MD {
	return metadata.Pairs(remoteKey, remoteIP(r))
}

// RemoteAddress reads what the edge said of the TCP peer. It is for a server that only the edge can reach.
func RemoteAddress(ctx context.Context) string {
	if values := metadata.ValueFromIncomingContext(ctx, remoteKey); len(values) == 1 {
		return values[0]
	}
	return ""
}

// routingError answers what the handler in front should not have let through. grpc-gateway's own answer to a wrong
// method is 501.
func routingError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	if to, ok := routeOf(r.URL.Path); ok && code == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", to.allow)
	}
	writeError(w, code)
}

// callError answers a call that failed.
func callError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
	writeError(w, httpStatus(err))
}

// httpStatus maps a fault to the documented status. What cannot be told apart from an outage is 503, so that the provider
// delivers again.
func httpStatus(err error) int {
	var statusError *runtime.HTTPStatusError
	switch {
	case errors.As(err, &statusError):
		return statusError.HTTPStatus
	case fault.ReasonOf(err) == rpcapi.ReasonBodyTooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.ReasonOf(err) == rpcapi.ReasonTooManyGuesses:
		return http.StatusTooManyRequests
	}
	switch status.Code(err) {
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Internal, codes.Unknown:
		return http.StatusInternalServerError
	default:
		return http.StatusServiceUnavailable
	}
}

// rawBody carries HTTP bodies as they are. Without it grpc-gateway hands an EMPTY HttpBody on with status 200, over which
// a signature would then be computed, and sends the challenge as application/json (both measured on v2.33).
type rawBody struct{ runtime.Marshaler }

// NewDecoder takes the whole body for the field that the API definition names.
func (m rawBody) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		target, ok := v.(**httpbody.HttpBody)
		if !ok {
			return m.Marshaler.NewDecoder(r).Decode(v)
		}
		data, err := take(r)
		*target = &httpbody.HttpBody{Data: data}
		return err
	})
}

// ContentType is the one that the service set.
func (m rawBody) ContentType(v any) string {
	if b, ok := responseBody(v); ok {
		return b.GetContentType()
	}
	return m.Marshaler.ContentType(v)
}

// Marshal returns the service's bytes.
func (m rawBody) Marshal(v any) ([]byte, error) {
	if b, ok := responseBody(v); ok {
		return b.GetData(), nil
	}
	return m.Marshaler.Marshal(v)
}

// responseBody unwraps the field that the API definition names as the response.
func responseBody(v any) (*httpbody.HttpBody, bool) {
	if wrapped, ok := v.(interface{ XXX_ResponseBody() any }); ok {
		v = wrapped.XXX_ResponseBody()
	}
	b, ok := v.(*httpbody.HttpBody)
	return b, ok
}
