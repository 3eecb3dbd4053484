package command

import (
	"context"
	"fmt"
	"text/tabwriter"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
)

// auditCommand lists changes.
type auditCommand struct {
	gatewayPeer
	Limit int32 `default:"50" help:"How many at most, up to 1000."`
}

// Run prints one line per call, newest first.
func (c auditCommand) Run(ctx context.Context, s streams) error {
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := gatewayv1.NewAuditServiceClient(conn).ListAuditEntries(ctx, &gatewayv1.ListAuditEntriesRequest{PageSize: c.Limit})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tCALLER\tNAME\tADDRESS\tMETHOD\tOUTCOME\tREASON")
	for _, e := range r.GetAuditEntries() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", clock(e.GetCreateTime().AsTime()), e.GetCaller(), e.GetCallerName(),
			orDash(e.GetAddress()), e.GetMethod(), e.GetCode(), orDash(e.GetReason()))
	}
	return w.Flush()
}
