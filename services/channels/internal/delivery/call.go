package delivery

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/channels"
)

// throttledPause is told to the caller where the provider does not say how long to wait.
const throttledPause = 5 * time.Second

// Caller makes the calls to providers that belong to no delivery, with the consequences and the faults that a send has.
type Caller struct {
	integrations Integrations
	log          *zap.Logger
}

// NewCaller returns a caller.
func NewCaller(i Integrations, log *zap.Logger) *Caller { return &Caller{integrations: i, log: log} }

// Call runs call with an integration that may speak. A *channels.SendError of call becomes a fault, and stops the integration
// if it refuses its credentials. Any other error is returned as it is.
func (c *Caller) Call(
	ctx context.Context, integrationID string, call func(ctx context.Context, i channels.Integration) error,
) error {
	i, err := c.integrations.Open(ctx, integrationID)
	if err != nil {
		return err
	}
	if err := refusalOf(i); err != nil {
		return err
	}
	tried := time.Now()
	err = call(ctx, i)
	failure, ok := errors.AsType[*channels.SendError](err)
	if !ok {
		return err
	}
	if failure.Class == channels.ClassStopIntegration {
		stop(context.WithoutCancel(ctx), c.integrations, integrationID, tried, failure, c.log)
	}
	if failure.RetryAfter == 0 && (failure.Class == channels.ClassThrottled || failure.Class == channels.ClassPairThrottled) {
		said := *failure
		said.RetryAfter = throttledPause
		failure = &said
	}
	return providerFault(failure)
}

// stop stops an integration whose provider refuses its credentials.
func stop(ctx context.Context, i Integrations, id string, tried time.Time, failure *channels.SendError, log *zap.Logger) {
	if err := i.Stop(ctx, id, tried, failure.Message); err != nil {
		log.Error("integration not stopped", zap.String("integration", id), zap.Error(err))
	}
}
