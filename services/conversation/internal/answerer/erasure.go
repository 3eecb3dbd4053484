package answerer

import (
	"context"
	"time"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
)

// forgetTimeout bounds one call to forget.
const forgetTimeout = 10 * time.Second

var _ conversation.Custodian = (*Client)(nil)

// ForgetMessages has rag remove what the customer thought of answers.
func (c *Client) ForgetMessages(ctx context.Context, e conversation.ErasureTask, t conversation.Traces) error {
	r := &ragv1.ForgetRequest{CustomerKey: string(e.User)}
	for _, id := range t.Requests {
		r.RequestIds = append(r.RequestIds, string(id))
	}
	return c.forget(ctx, r)
}

// ForgetCustomer has rag remove what it keeps under the customer's key.
func (c *Client) ForgetCustomer(ctx context.Context, e conversation.ErasureTask) error {
	return c.forget(ctx, &ragv1.ForgetRequest{CustomerKey: string(e.User)})
}

func (c *Client) forget(ctx context.Context, r *ragv1.ForgetRequest) error {
	if err := peer.Present(c.conn); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
	defer cancel()
	if _, err := c.answers.Forget(ctx, r); err != nil {
		return peer.Error(err)
	}
	return nil
}
