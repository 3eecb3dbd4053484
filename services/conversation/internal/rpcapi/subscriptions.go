package rpcapi

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/conversation"
)

// SubscriptionStore finds subscriptions.
type SubscriptionStore interface {
	Subscription(ctx context.Context, id conversation.SubscriptionID) (conversation.Subscription, error)
	Subscriptions(ctx context.Context, limit int, after *conversation.Cursor) ([]conversation.Subscription, error)
	DeleteSubscription(ctx context.Context, id conversation.SubscriptionID) error
	Notices(ctx context.Context, f conversation.NoticeFilter) ([]conversation.Notice, error)
	RetryNotice(ctx context.Context, subscription conversation.SubscriptionID, id conversation.NoticeID) (conversation.Notice, error)
}

// SubscriptionMaker makes and changes subscriptions.
type SubscriptionMaker interface {
	Create(ctx context.Context, s conversation.Subscription) (conversation.Subscription, string, error)
	Update(ctx context.Context, id conversation.SubscriptionID, c conversation.SubscriptionChange) (conversation.Subscription, error)
	RotateSecret(ctx context.Context, id conversation.SubscriptionID) (string, error)
	ReSeal(ctx context.Context, countOnly bool) (sealing.Report, error)
}

// Subscriptions serves SubscriptionService.
type Subscriptions struct {
	conversationv1.UnimplementedSubscriptionServiceServer
	store SubscriptionStore
	maker SubscriptionMaker
}

// NewSubscriptions returns the service.
func NewSubscriptions(store SubscriptionStore, maker SubscriptionMaker) *Subscriptions {
	return &Subscriptions{store: store, maker: maker}
}

// CreateSubscription adds a subscription and returns its secret.
func (s *Subscriptions) CreateSubscription(ctx context.Context, r *conversationv1.CreateSubscriptionRequest) (*conversationv1.CreateSubscriptionResponse, error) {
	in := r.GetSubscription()
	made, secret, err := s.maker.Create(ctx, conversation.Subscription{
		URL: in.GetUrl(), Types: typesOf(in), Integration: conversation.IntegrationID(in.GetIntegrationId()),
		Enabled: in.GetEnabled() || in != nil && in.Enabled == nil,
	})
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.CreateSubscriptionResponse{Subscription: subscriptionOf(made), Secret: secret}, nil
}

// GetSubscription returns one subscription.
func (s *Subscriptions) GetSubscription(ctx context.Context, r *conversationv1.GetSubscriptionRequest) (*conversationv1.GetSubscriptionResponse, error) {
	sub, err := id[conversation.SubscriptionID](r.GetId())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Subscription(ctx, sub)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.GetSubscriptionResponse{Subscription: subscriptionOf(found)}, nil
}

// ListSubscriptions lists subscriptions, newest first.
func (s *Subscriptions) ListSubscriptions(ctx context.Context, r *conversationv1.ListSubscriptionsRequest) (*conversationv1.ListSubscriptionsResponse, error) {
	l := list("subscriptions")
	n, after, err := page(l, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Subscriptions(ctx, n+1, after)
	if err != nil {
		return nil, problem(err)
	}
	found, more := next(l, found, n, func(s conversation.Subscription) conversation.Cursor {
		return conversation.Cursor{Time: s.CreateTime, ID: string(s.ID)}
	})
	return &conversationv1.ListSubscriptionsResponse{Subscriptions: each(found, subscriptionOf), NextPageToken: more}, nil
}

// UpdateSubscription changes the fields of the mask.
func (s *Subscriptions) UpdateSubscription(ctx context.Context, r *conversationv1.UpdateSubscriptionRequest) (*conversationv1.UpdateSubscriptionResponse, error) {
	sub, err := id[conversation.SubscriptionID](r.GetSubscription().GetId())
	if err != nil {
		return nil, err
	}
	change, err := changeOf(r.GetSubscription(), r.GetUpdateMask())
	if err != nil {
		return nil, err
	}
	changed, err := s.maker.Update(ctx, sub, change)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.UpdateSubscriptionResponse{Subscription: subscriptionOf(changed)}, nil
}

// DeleteSubscription removes a subscription.
func (s *Subscriptions) DeleteSubscription(ctx context.Context, r *conversationv1.DeleteSubscriptionRequest) (*conversationv1.DeleteSubscriptionResponse, error) {
	sub, err := id[conversation.SubscriptionID](r.GetId())
	if err != nil {
		return nil, err
	}
	if err := s.store.DeleteSubscription(ctx, sub); err != nil {
		return nil, problem(err)
	}
	return &conversationv1.DeleteSubscriptionResponse{}, nil
}

// RotateSubscriptionSecret makes a new secret.
func (s *Subscriptions) RotateSubscriptionSecret(ctx context.Context, r *conversationv1.RotateSubscriptionSecretRequest) (*conversationv1.RotateSubscriptionSecretResponse, error) {
	sub, err := id[conversation.SubscriptionID](r.GetId())
	if err != nil {
		return nil, err
	}
	secret, err := s.maker.RotateSecret(ctx, sub)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.RotateSubscriptionSecretResponse{Secret: secret}, nil
}

// ReSealSubscriptionSecrets seals again what another key than the primary one sealed.
func (s *Subscriptions) ReSealSubscriptionSecrets(
	ctx context.Context, r *conversationv1.ReSealSubscriptionSecretsRequest,
) (*conversationv1.ReSealSubscriptionSecretsResponse, error) {
	sealed, err := s.maker.ReSeal(ctx, r.GetValidateOnly())
	if err != nil {
		return nil, problem(err)
	}
	out := &conversationv1.ReSealSubscriptionSecretsResponse{ReSealedCount: int32(sealed.ReSealed), UnreadableCount: int32(sealed.Unreadable)}
	for _, k := range sealed.Keys {
		out.Keys = append(out.Keys, &typev1.SealingKey{Id: k.ID, Primary: k.Primary, Known: k.Known, SecretCount: int32(k.Secrets)})
	}
	return out, nil
}

// ListSubscriptionDeliveries lists what a subscription is told.
func (s *Subscriptions) ListSubscriptionDeliveries(ctx context.Context, r *conversationv1.ListSubscriptionDeliveriesRequest) (*conversationv1.ListSubscriptionDeliveriesResponse, error) {
	l := list("notices", r.GetSubscriptionId(), r.GetDeadOnly())
	n, after, err := page(l, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	sub, err := id[conversation.SubscriptionID](r.GetSubscriptionId())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Notices(ctx, conversation.NoticeFilter{Subscription: sub, DeadOnly: r.GetDeadOnly(), Limit: n + 1, After: after})
	if err != nil {
		return nil, problem(err)
	}
	found, more := next(l, found, n, func(n conversation.Notice) conversation.Cursor {
		return conversation.Cursor{Time: n.CreateTime, ID: string(n.ID)}
	})
	return &conversationv1.ListSubscriptionDeliveriesResponse{Deliveries: each(found, noticeOf), NextPageToken: more}, nil
}

// RetrySubscriptionDelivery sends a delivery again.
func (s *Subscriptions) RetrySubscriptionDelivery(ctx context.Context, r *conversationv1.RetrySubscriptionDeliveryRequest) (*conversationv1.RetrySubscriptionDeliveryResponse, error) {
	sub, err := id[conversation.SubscriptionID](r.GetSubscriptionId())
	if err != nil {
		return nil, err
	}
	delivery, err := id[conversation.NoticeID](r.GetId())
	if err != nil {
		return nil, err
	}
	n, err := s.store.RetryNotice(ctx, sub, delivery)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.RetrySubscriptionDeliveryResponse{Delivery: noticeOf(n)}, nil
}

// changeOf reads a mask. A path that names no field is an error, so that a typing error changes nothing.
func changeOf(in *conversationv1.Subscription, mask *fieldmaskpb.FieldMask) (c conversation.SubscriptionChange, err error) {
	if len(mask.GetPaths()) == 0 {
		return c, fault.New(fault.Invalid, "UPDATE_MASK_INVALID", "update_mask names no field")
	}
	for _, path := range mask.GetPaths() {
		switch path {
		case "url":
			c.URL = &in.Url
		case "event_types":
			types := typesOf(in)
			c.Types = &types
		case "integration_id":
			integration := conversation.IntegrationID(in.GetIntegrationId())
			c.Integration = &integration
		case "enabled":
			enabled := in.GetEnabled()
			c.Enabled = &enabled
		default:
			return c, fault.New(fault.Invalid, "UPDATE_MASK_INVALID", "update_mask names url, event_types, integration_id or enabled")
		}
	}
	return c, nil
}

func typesOf(in *conversationv1.Subscription) []conversation.NoticeType {
	return each(in.GetEventTypes(), func(t string) conversation.NoticeType { return conversation.NoticeType(t) })
}

func subscriptionOf(s conversation.Subscription) *conversationv1.Subscription {
	return &conversationv1.Subscription{
		Id: string(s.ID), Url: s.URL, EventTypes: each(s.Types, func(t conversation.NoticeType) string { return string(t) }),
		IntegrationId: string(s.Integration), Enabled: &s.Enabled, DisabledCause: s.DisabledCause,
		CreateTime: timestamppb.New(s.CreateTime), UpdateTime: timestamppb.New(s.UpdateTime),
	}
}

func noticeOf(n conversation.Notice) *conversationv1.SubscriptionDelivery {
	return &conversationv1.SubscriptionDelivery{
		Id: string(n.ID), SubscriptionId: string(n.Subscription), EventType: string(n.Type), ConversationId: string(n.Conversation),
		MessageId: string(n.Message), State: noticeStateOf(n.State), Failures: int32(n.Failures), ResponseStatus: int32(n.Status),
		Error: n.Error, CreateTime: timestamppb.New(n.CreateTime), NextTryTime: timeOf(n.DueTime), FinishTime: timeOf(n.FinishTime),
	}
}

func timeOf(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}
