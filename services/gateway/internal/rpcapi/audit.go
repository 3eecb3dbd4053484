package rpcapi

import (
	"context"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	gateway "github.com/knobot/knobot/services/gateway"
)

// AuditStore holds the audit.
type AuditStore interface {
	// Entries lists entries, newest first, before the one with an id; 0 for the first page.
	Entries(ctx context.Context, before int64, limit int) ([]gateway.AuditEntry, error)
}

// Audit is the AuditService.
type Audit struct {
	gatewayv1.UnimplementedAuditServiceServer
	store AuditStore
}

// NewAudit makes the service.
func NewAudit(store AuditStore) *Audit { return &Audit{store: store} }

// ListAuditEntries lists calls that changed something, newest first.
func (s *Audit) ListAuditEntries(ctx context.Context, r *gatewayv1.ListAuditEntriesRequest) (*gatewayv1.ListAuditEntriesResponse, error) {
	n, before, err := entriesPage(r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Entries(ctx, before, n+1) // one more tells whether there is a next page
	if err != nil {
		return nil, err
	}
	out := &gatewayv1.ListAuditEntriesResponse{}
	found, out.NextPageToken = cut(found, n, entryToken)
	for _, e := range found {
		out.AuditEntries = append(out.AuditEntries, entryProto(e))
	}
	return out, nil
}

func entryProto(e gateway.AuditEntry) *gatewayv1.AuditEntry {
	return &gatewayv1.AuditEntry{
		CreateTime: timeProto(e.CreateTime), Caller: e.Caller, CallerName: e.CallerName, Method: e.Method, Address: e.Address,
		Code: e.Code, Reason: e.Reason, RequestId: e.RequestID,
	}
}
