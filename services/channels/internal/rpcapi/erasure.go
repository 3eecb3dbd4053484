package rpcapi

import (
	"context"

	"github.com/google/uuid"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/services/channels"
)

// eraser removes what is kept of customers.
type eraser interface {
	// Forget may be repeated. Returns a fault of kind Unavailable if a file could not be removed.
	Forget(ctx context.Context, t channels.Traces) error
}

// maxTraces is how many of each kind one call may name.
const maxTraces = 1000

// Forget implements ChannelService.
func (s *channelServer) Forget(ctx context.Context, r *channelsv1.ForgetRequest) (*channelsv1.ForgetResponse, error) {
	t, err := traces(r)
	if err != nil {
		return nil, err
	}
	if err := s.eraser.Forget(ctx, t); err != nil {
		return nil, err
	}
	return &channelsv1.ForgetResponse{}, nil
}

func traces(r *channelsv1.ForgetRequest) (channels.Traces, error) {
	t := channels.Traces{IntegrationID: r.GetIntegrationId(), Requests: r.GetRequestIds(), Media: r.GetMediaIds()}
	err := firstError(integrationID(t.IntegrationID), few("addresses", r.GetAddresses()),
		ids("request_ids", t.Requests, func(f, id string) error { return ascii(f, id, 1, maxRequestID) }),
		ids("media_ids", t.Media, stored),
		few("provider_media_ids", r.GetProviderMediaIds()))
	for _, id := range r.GetProviderMediaIds() {
		if ascii("provider_media_ids", id, 1, maxMediaID) == nil { // else nothing was ever fetched by it
			t.ProviderMedia = append(t.ProviderMedia, id)
		}
	}
	for _, a := range r.GetAddresses() {
		if err != nil {
			break
		}
		t.Recipients, err = recipients(t, a)
	}
	return t, err
}

func recipients(t channels.Traces, a *typev1.Address) ([]string, error) {
	to, err := address(a)
	switch {
	case to.IntegrationID != t.IntegrationID:
		return nil, invalid("addresses", "one is of another integration")
	case to.Platform() == "":
		return nil, err
	case err != nil: // nothing was ever sent to what cannot be sent to
		return t.Recipients, nil
	}
	return append(t.Recipients, to.Recipients()...), nil
}

func stored(field, id string) error {
	if uuid.Validate(id) != nil {
		return invalid(field, "one is not a file's")
	}
	return nil
}

func few[T any](field string, list []T) error {
	if len(list) > maxTraces {
		return invalid(field, "more than %d", maxTraces)
	}
	return nil
}

func ids(field string, list []string, check func(field, id string) error) error {
	if err := few(field, list); err != nil {
		return err
	}
	for _, id := range list {
		if err := check(field, id); err != nil {
			return err
		}
	}
	return nil
}
