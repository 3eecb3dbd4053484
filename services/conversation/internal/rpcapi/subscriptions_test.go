package rpcapi_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
)

func (b *bundle) subscribe() *conversationv1.CreateSubscriptionResponse {
	b.t.Helper()
	made, err := b.subscriptions.CreateSubscription(b.t.Context(), &conversationv1.CreateSubscriptionRequest{Subscription: &conversationv1.Subscription{
		Url: "https://shop.example/hooks", EventTypes: []string{"message.received"}, IntegrationId: "wa-1",
	}})
	require.NoError(b.t, err)
	return made
}

func TestSubscriptionsOverTheWire(t *testing.T) {
	t.Parallel()

	t.Run("SecretIsReturnedOnceAndAfterARotation", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		made := b.subscribe()
		require.True(t, strings.HasPrefix(made.GetSecret(), "whsec_"))
		require.True(t, made.GetSubscription().GetEnabled())
		got, err := b.subscriptions.GetSubscription(t.Context(), &conversationv1.GetSubscriptionRequest{Id: made.GetSubscription().GetId()})
		require.NoError(t, err)
		require.Equal(t, "https://shop.example/hooks", got.GetSubscription().GetUrl())
		require.Equal(t, []string{"message.received"}, got.GetSubscription().GetEventTypes())
		require.Equal(t, "wa-1", got.GetSubscription().GetIntegrationId())
		rotated, err := b.subscriptions.RotateSubscriptionSecret(t.Context(), &conversationv1.RotateSubscriptionSecretRequest{Id: made.GetSubscription().GetId()})
		require.NoError(t, err)
		require.NotEqual(t, made.GetSecret(), rotated.GetSecret())
	})

	t.Run("KeysThatSealAreCounted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.subscribe()
		sealed, err := b.subscriptions.ReSealSubscriptionSecrets(t.Context(), &conversationv1.ReSealSubscriptionSecretsRequest{ValidateOnly: true})
		require.NoError(t, err)
		require.Len(t, sealed.GetKeys(), 1)
		require.True(t, sealed.GetKeys()[0].GetPrimary() && sealed.GetKeys()[0].GetKnown())
		require.Equal(t, int32(1), sealed.GetKeys()[0].GetSecretCount())
		require.Zero(t, sealed.GetReSealedCount()+sealed.GetUnreadableCount())
	})

	t.Run("ListsThemPageByPage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first, second := b.subscribe(), b.subscribe()
		page, err := b.subscriptions.ListSubscriptions(t.Context(), &conversationv1.ListSubscriptionsRequest{PageSize: 1})
		require.NoError(t, err)
		require.Equal(t, second.GetSubscription().GetId(), page.GetSubscriptions()[0].GetId())
		rest, err := b.subscriptions.ListSubscriptions(t.Context(), &conversationv1.ListSubscriptionsRequest{PageSize: 1, PageToken: page.GetNextPageToken()})
		require.NoError(t, err)
		require.Equal(t, first.GetSubscription().GetId(), rest.GetSubscriptions()[0].GetId())
		require.Empty(t, rest.GetNextPageToken())
	})

	t.Run("ChangesWhatTheMaskNamesAndNothingElse", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id, off := b.subscribe().GetSubscription().GetId(), false
		update := func(in *conversationv1.Subscription, paths ...string) (*conversationv1.Subscription, error) {
			in.Id = id
			got, err := b.subscriptions.UpdateSubscription(t.Context(), &conversationv1.UpdateSubscriptionRequest{
				Subscription: in, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
			})
			return got.GetSubscription(), err
		}
		got, err := update(&conversationv1.Subscription{Enabled: &off, Url: "ignored"}, "enabled")
		require.NoError(t, err)
		require.False(t, got.GetEnabled())
		require.Equal(t, "https://shop.example/hooks", got.GetUrl())
		got, err = update(&conversationv1.Subscription{EventTypes: []string{"message.failed"}, Url: "https://new.example/"}, "event_types", "url", "integration_id")
		require.NoError(t, err)
		require.Equal(t, []string{"message.failed"}, got.GetEventTypes())
		require.Equal(t, "https://new.example/", got.GetUrl())
		require.Empty(t, got.GetIntegrationId())
		require.False(t, got.GetEnabled())
		_, err = update(&conversationv1.Subscription{})
		refused(t, err, fault.Invalid, "UPDATE_MASK_INVALID")
		_, err = update(&conversationv1.Subscription{}, "secret")
		refused(t, err, fault.Invalid, "UPDATE_MASK_INVALID")
		_, err = update(&conversationv1.Subscription{Url: "http://shop.example"}, "url")
		refused(t, err, fault.Invalid, "URL_INVALID")
		_, err = update(&conversationv1.Subscription{}, "event_types")
		refused(t, err, fault.Invalid, "EVENT_TYPES_INVALID")
		id = uuid.NewString()
		_, err = update(&conversationv1.Subscription{Enabled: &off}, "enabled")
		refused(t, err, fault.NotFound, "NOT_FOUND")
	})

	t.Run("DeadDeliveriesAreShownAndTriedAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.subscribe().GetSubscription().GetId()
		b.post(b.text("573001234567", "hola"))
		list, err := b.subscriptions.ListSubscriptionDeliveries(t.Context(), &conversationv1.ListSubscriptionDeliveriesRequest{SubscriptionId: id})
		require.NoError(t, err)
		d := list.GetDeliveries()[0]
		require.Equal(t, conversationv1.SubscriptionDelivery_STATE_PENDING, d.GetState())
		require.NotNil(t, d.GetNextTryTime())
		retry := &conversationv1.RetrySubscriptionDeliveryRequest{SubscriptionId: id, Id: d.GetId()}
		_, err = b.pool.Exec(t.Context(), `update subscription_deliveries set state = 'dead', failures = 10, response_status = 500, last_error = 'STATUS_500', finish_time = now()`)
		require.NoError(t, err)
		dead, err := b.subscriptions.ListSubscriptionDeliveries(t.Context(), &conversationv1.ListSubscriptionDeliveriesRequest{SubscriptionId: id, DeadOnly: true})
		require.NoError(t, err)
		require.Equal(t, conversationv1.SubscriptionDelivery_STATE_DEAD, dead.GetDeliveries()[0].GetState())
		require.Nil(t, dead.GetDeliveries()[0].GetNextTryTime())
		require.NotNil(t, dead.GetDeliveries()[0].GetFinishTime())
		again, err := b.subscriptions.RetrySubscriptionDelivery(t.Context(), retry)
		require.NoError(t, err)
		require.Equal(t, conversationv1.SubscriptionDelivery_STATE_PENDING, again.GetDelivery().GetState())
		require.Zero(t, again.GetDelivery().GetFailures())
		_, err = b.pool.Exec(t.Context(), `update subscriptions set enabled = false`)
		require.NoError(t, err)
		_, err = b.subscriptions.RetrySubscriptionDelivery(t.Context(), retry)
		refused(t, err, fault.Precondition, "SUBSCRIPTION_DISABLED")
		_, err = b.subscriptions.RetrySubscriptionDelivery(t.Context(), &conversationv1.RetrySubscriptionDeliveryRequest{SubscriptionId: id, Id: uuid.NewString()})
		refused(t, err, fault.NotFound, "NOT_FOUND")
	})

	t.Run("UnknownOnesAreRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.subscriptions.CreateSubscription(t.Context(), &conversationv1.CreateSubscriptionRequest{})
		refused(t, err, fault.Invalid, "URL_INVALID")
		for want, id := range map[string]string{"NOT_FOUND": uuid.NewString(), "ID_INVALID": "7"} {
			_, err := b.subscriptions.GetSubscription(t.Context(), &conversationv1.GetSubscriptionRequest{Id: id})
			require.Equal(t, want, fault.ReasonOf(err))
			_, err = b.subscriptions.DeleteSubscription(t.Context(), &conversationv1.DeleteSubscriptionRequest{Id: id})
			require.Equal(t, want, fault.ReasonOf(err))
			_, err = b.subscriptions.RotateSubscriptionSecret(t.Context(), &conversationv1.RotateSubscriptionSecretRequest{Id: id})
			require.Equal(t, want, fault.ReasonOf(err))
			_, err = b.subscriptions.ListSubscriptionDeliveries(t.Context(), &conversationv1.ListSubscriptionDeliveriesRequest{SubscriptionId: id})
			require.Equal(t, want, fault.ReasonOf(err))
		}
		id := b.subscribe().GetSubscription().GetId()
		_, err = b.subscriptions.DeleteSubscription(t.Context(), &conversationv1.DeleteSubscriptionRequest{Id: id})
		require.NoError(t, err)
		list, err := b.subscriptions.ListSubscriptions(t.Context(), &conversationv1.ListSubscriptionsRequest{})
		require.NoError(t, err)
		require.Empty(t, list.GetSubscriptions())
	})
}
