package access

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/requestid"
	gateway "github.com/knobot/knobot/services/gateway"
)

// Recorder keeps the audit.
type Recorder interface {
	// Record stores an entry; its id and time are the store's.
	Record(ctx context.Context, e gateway.AuditEntry) error
}

// recordTimeout bounds how long an answer waits for its entry.
const recordTimeout = 2 * time.Second

// audit writes down who changed what, with nothing of what was sent.
type audit struct {
	recorder Recorder
	log      *zap.Logger
}

// write stores the entry before the call ends, also for a caller who went away. Where it cannot be stored the log has it: the
// change is made by then.
func (a audit) write(ctx context.Context, v *visit, outcome error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	e := gateway.AuditEntry{
		Caller: v.caller.ID, CallerName: v.caller.Name, Method: v.method, Address: v.address,
		Code: fault.Code(outcome).String(), Reason: fault.ReasonOf(outcome), RequestID: requestid.From(ctx),
	}
	if err := a.recorder.Record(ctx, e); err != nil {
		a.log.Warn("a change is in the log alone",
			zap.String("caller", e.Caller), zap.String("method", e.Method), zap.String("address", e.Address),
			zap.String("code", e.Code), zap.String("reason", e.Reason), zap.String("request_id", e.RequestID), zap.Error(err))
	}
}
