package channelstest

import (
	"context"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
)

// OnForget is asked before something is forgotten; an error is what the caller gets.
func (c *Server) OnForget(f func(*channelsv1.ForgetRequest) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget = f
}

// Forgotten returns what was asked to be forgotten, in order, failures left out.
func (c *Server) Forgotten() []*channelsv1.ForgetRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*channelsv1.ForgetRequest(nil), c.forgotten...)
}

// Forget implements the service.
func (c *Server) Forget(_ context.Context, r *channelsv1.ForgetRequest) (*channelsv1.ForgetResponse, error) {
	c.mu.Lock()
	forget := c.forget
	c.mu.Unlock()
	if forget != nil {
		if err := forget(r); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten = append(c.forgotten, r)
	return &channelsv1.ForgetResponse{}, nil
}
