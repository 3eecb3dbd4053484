package command

import (
	"context"
	"strings"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/knobot/knobot/cli/internal/present"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// subscriptionsCommand looks after programs that are told what happens.
type subscriptionsCommand struct {
	List         subscriptionsListCommand       `cmd:"" default:"1" help:"List them."`
	Create       subscriptionsCreateCommand     `cmd:"" help:"Add one and print its secret, which cannot be read again."`
	Enable       subscriptionsEnableCommand     `cmd:"" help:"Switch one on."`
	Disable      subscriptionsDisableCommand    `cmd:"" help:"Switch one off: what happens meanwhile is not told."`
	Delete       subscriptionsDeleteCommand     `cmd:"" help:"Remove one."`
	RotateSecret subscriptionsRotateCommand     `cmd:"" help:"Print a new secret; for a day the old one signs too."`
	Deliveries   subscriptionsDeliveriesCommand `cmd:"" help:"List what one was told, newest first, and what became of it."`
	Retry        subscriptionsRetryCommand      `cmd:"" help:"Tell one again at once."`
}

// onSubscriptions calls f with the service.
func onSubscriptions(ctx context.Context, s session, f func(context.Context, conversationv1.SubscriptionServiceClient) error) error {
	return call(ctx, s, conversationv1.NewSubscriptionServiceClient, f)
}

type subscriptionsListCommand struct{}

// Run prints one line per subscription.
func (subscriptionsListCommand) Run(ctx context.Context, s session) error {
	return onSubscriptions(ctx, s, func(ctx context.Context, client conversationv1.SubscriptionServiceClient) error {
		r, err := client.ListSubscriptions(ctx, &conversationv1.ListSubscriptionsRequest{PageSize: 1000})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return subscriptionTable(r.GetSubscriptions()...) })
	})
}

func subscriptionTable(list ...*conversationv1.Subscription) present.Table {
	t := present.Table{Header: []string{"ID", "ADDRESS", "EVENTS", "INTEGRATION", "STATE", "CAUSE"}}
	for _, one := range list {
		state := "disabled"
		if one.GetEnabled() {
			state = "enabled"
		}
		t.Add(one.GetId(), one.GetUrl(), strings.Join(one.GetEventTypes(), " "), one.GetIntegrationId(), state, one.GetDisabledCause())
	}
	return t
}

type subscriptionsCreateCommand struct {
	URL         string   `arg:"" help:"Where to tell it, an https address."`
	Events      []string `default:"message.received,message.answered,message.failed,conversation.handed_over" help:"What to tell."`
	Integration string   `placeholder:"ID" help:"Only of this number or bot."`
}

// Run adds it and prints nothing but the secret.
func (c subscriptionsCreateCommand) Run(ctx context.Context, s session) error {
	return onSubscriptions(ctx, s, func(ctx context.Context, client conversationv1.SubscriptionServiceClient) error {
		r, err := client.CreateSubscription(ctx, &conversationv1.CreateSubscriptionRequest{
			Subscription: &conversationv1.Subscription{Url: c.URL, EventTypes: c.Events, IntegrationId: c.Integration},
		})
		if err != nil {
			return err
		}
		return s.done(r, "%s", r.GetSecret())
	})
}

// subscriptionTarget names one.
type subscriptionTarget struct {
	ID string `arg:"" help:"Id of the subscription (knobot subscriptions)."`
}

func (t subscriptionTarget) switched(ctx context.Context, s session, on bool) error {
	return onSubscriptions(ctx, s, func(ctx context.Context, client conversationv1.SubscriptionServiceClient) error {
		r, err := client.UpdateSubscription(ctx, &conversationv1.UpdateSubscriptionRequest{
			Subscription: &conversationv1.Subscription{Id: t.ID, Enabled: &on}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"enabled"}},
		})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return subscriptionTable(r.GetSubscription()) })
	})
}

type subscriptionsEnableCommand struct{ subscriptionTarget }

// Run switches it on.
func (c subscriptionsEnableCommand) Run(ctx context.Context, s session) error {
	return c.switched(ctx, s, true)
}

type subscriptionsDisableCommand struct{ subscriptionTarget }

// Run switches it off.
func (c subscriptionsDisableCommand) Run(ctx context.Context, s session) error {
	return c.switched(ctx, s, false)
}

type subscriptionsDeleteCommand struct{ subscriptionTarget }

// Run removes it.
func (c subscriptionsDeleteCommand) Run(ctx context.Context, s session) error {
	return onSubscriptions(ctx, s, func(ctx context.Context, client conversationv1.SubscriptionServiceClient) error {
		r, err := client.DeleteSubscription(ctx, &conversationv1.DeleteSubscriptionRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "%s deleted", c.ID)
	})
}

type subscriptionsRotateCommand struct{ subscriptionTarget }

// Run prints the new secret.
func (c subscriptionsRotateCommand) Run(ctx context.Context, s session) error {
	return onSubscriptions(ctx, s, func(ctx context.Context, client conversationv1.SubscriptionServiceClient) error {
		r, err := client.RotateSubscriptionSecret(ctx, &conversationv1.RotateSubscriptionSecretRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "%s", r.GetSecret())
	})
}

type subscriptionsDeliveriesCommand struct {
	subscriptionTarget
	Dead  bool  `help:"Only what is not tried any more."`
	Limit int32 `short:"n" default:"20" help:"How many, at most 1000."`
}

// Run prints one line per delivery.
func (c subscriptionsDeliveriesCommand) Run(ctx context.Context, s session) error {
	return onSubscriptions(ctx, s, func(ctx context.Context, client conversationv1.SubscriptionServiceClient) error {
		r, err := client.ListSubscriptionDeliveries(ctx, &conversationv1.ListSubscriptionDeliveriesRequest{
			SubscriptionId: c.ID, DeadOnly: c.Dead, PageSize: c.Limit,
		})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return deliveryTable(r.GetDeliveries()) })
	})
}

func deliveryTable(list []*conversationv1.SubscriptionDelivery) present.Table {
	t := present.Table{Header: []string{"ID", "EVENT", "HAPPENED", "STATE", "FAILURES", "STATUS", "ERROR", "NEXT TRY"}}
	for _, d := range list {
		t.Add(d.GetId(), d.GetEventType(), moment(d.GetCreateTime()), word(d.GetState().String(), "STATE_"), d.GetFailures(),
			d.GetResponseStatus(), d.GetError(), moment(d.GetNextTryTime()))
	}
	return t
}

type subscriptionsRetryCommand struct {
	subscriptionTarget
	Delivery string `arg:"" help:"Id of the delivery, as deliveries prints it."`
}

// Run asks for it.
func (c subscriptionsRetryCommand) Run(ctx context.Context, s session) error {
	return onSubscriptions(ctx, s, func(ctx context.Context, client conversationv1.SubscriptionServiceClient) error {
		r, err := client.RetrySubscriptionDelivery(ctx, &conversationv1.RetrySubscriptionDeliveryRequest{SubscriptionId: c.ID, Id: c.Delivery})
		if err != nil {
			return err
		}
		return s.done(r, "it is told again")
	})
}
