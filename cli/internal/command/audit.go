package command

import (
	"context"

	"github.com/knobot/knobot/cli/internal/present"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
)

// auditCommand lists changes.
type auditCommand struct {
	Limit int32 `short:"n" default:"50" help:"How many at most, up to 1000."`
}

// Run prints one line per call, newest first.
func (c auditCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, gatewayv1.NewAuditServiceClient, func(ctx context.Context, audit gatewayv1.AuditServiceClient) error {
		r, err := audit.ListAuditEntries(ctx, &gatewayv1.ListAuditEntriesRequest{PageSize: c.Limit})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table {
			t := present.Table{Header: []string{"TIME", "CALLER", "NAME", "ADDRESS", "METHOD", "OUTCOME", "REASON"}}
			for _, e := range r.GetAuditEntries() {
				t.Add(moment(e.GetCreateTime()), e.GetCaller(), e.GetCallerName(), e.GetAddress(), e.GetMethod(), e.GetCode(), e.GetReason())
			}
			return t
		})
	})
}
