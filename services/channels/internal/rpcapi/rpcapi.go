// Package rpcapi is the gRPC surface of channels: the only package that knows both generated and domain types. Handlers
// parse, call a use case and convert.
package rpcapi

import (
	"context"
	"math"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/erasure"
	"github.com/knobot/knobot/services/channels/internal/integration"
	"github.com/knobot/knobot/services/channels/internal/media"
)

// Register registers all services of channels. Streams end when draining is closed.
func Register(
	server grpc.ServiceRegistrar, d *delivery.Service, m *media.Service, e *erasure.Eraser, i *integration.Service, draining <-chan struct{},
) {
	channelsv1.RegisterChannelServiceServer(server, &channelServer{delivery: d, media: m, eraser: e})
	channelsv1.RegisterIntegrationServiceServer(server, &integrationServer{integrations: i, draining: draining})
	channelsv1.RegisterVerificationServiceServer(server, &verificationServer{integrations: i, draining: draining})
}

// RegisterDiagnostics registers the doctor of the service. database says how its database is.
func RegisterDiagnostics(server grpc.ServiceRegistrar, i *integration.Service, database func(context.Context) []doctor.Finding) {
	channelsv1.RegisterDiagnosticsServiceServer(server, &diagnosticsServer{integrations: i, database: database})
}

// watcher is what both watches use.
type watcher interface {
	// Watch calls emit with what there is and then with what changes, until ctx ends, draining is closed or emit fails.
	Watch(ctx context.Context, draining <-chan struct{}, emit func(changed []channels.Integration, revision int64) error) error
}

func invalid(field, format string, a ...any) error {
	return fault.Newf(fault.Invalid, "INVALID_REQUEST", field+": "+format, a...)
}

// text checks a string for its length in bytes and for characters that PostgreSQL and the providers refuse.
func text(field, s string, least, most int) error {
	switch {
	case len(s) < least:
		return invalid(field, "is missing")
	case len(s) > most:
		return invalid(field, "has more than %d bytes", most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return invalid(field, "holds a control character")
	}
	return nil
}

// ascii checks an id of printable ASCII characters.
func ascii(field, s string, least, most int) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return invalid(field, "only printable ASCII characters are allowed")
	}
	return text(field, s, least, most)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func platformProto(p channels.Platform) typev1.Platform {
	switch p {
	case channels.WhatsApp:
		return typev1.Platform_PLATFORM_WHATSAPP
	case channels.Telegram:
		return typev1.Platform_PLATFORM_TELEGRAM
	default:
		return typev1.Platform_PLATFORM_UNSPECIFIED
	}
}

func platformDomain(p typev1.Platform) (channels.Platform, error) {
	switch p {
	case typev1.Platform_PLATFORM_WHATSAPP:
		return channels.WhatsApp, nil
	case typev1.Platform_PLATFORM_TELEGRAM:
		return channels.Telegram, nil
	case typev1.Platform_PLATFORM_UNSPECIFIED:
		return "", nil
	default:
		return "", invalid("platform", "unknown")
	}
}

// int32Of converts a number, cut off at the ends of int32.
func int32Of(n int) int32 { return int32(max(math.MinInt32, min(n, math.MaxInt32))) }
