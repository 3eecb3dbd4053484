package sender

import (
	"context"
	"strconv"
	"time"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
)

// forgetTimeout covers the removal of a batch of files.
const forgetTimeout = 30 * time.Second

var _ conversation.Custodian = (*Client)(nil)

// ForgetMessages has channels remove the deliveries and files of messages.
func (c *Client) ForgetMessages(ctx context.Context, e conversation.ErasureTask, t conversation.Traces) error {
	r := &channelsv1.ForgetRequest{IntegrationId: string(e.Integration), ProviderMediaIds: t.ProviderMedia}
	for _, id := range t.Requests {
		r.RequestIds = append(r.RequestIds, string(id))
	}
	for _, id := range t.Media {
		r.MediaIds = append(r.MediaIds, string(id))
	}
	return c.forget(ctx, r)
}

// ForgetCustomer has channels remove what it keeps under the customer's addresses.
func (c *Client) ForgetCustomer(ctx context.Context, e conversation.ErasureTask) error {
	r := &channelsv1.ForgetRequest{IntegrationId: string(e.Integration)}
	for _, id := range e.ExternalIDs {
		a := conversation.Address{UserID: id}
		if e.Platform == conversation.Telegram {
			chat, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				continue // nothing was ever sent to it
			}
			a = conversation.Address{Chat: &conversation.Chat{ID: chat}}
		}
		r.Addresses = append(r.Addresses, address(e.Integration, a))
	}
	for _, phone := range e.Phones {
		r.Addresses = append(r.Addresses, address(e.Integration, conversation.Address{PhoneNumber: phone}))
	}
	return c.forget(ctx, r)
}

func (c *Client) forget(ctx context.Context, r *channelsv1.ForgetRequest) error {
	if err := peer.Present(c.conn); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
	defer cancel()
	if _, err := c.channels.Forget(ctx, r); err != nil {
		return peerError(err)
	}
	return nil
}
