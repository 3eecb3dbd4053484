package access_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/edge"
)

func TestAudit(t *testing.T) {
	t.Parallel()

	t.Run("ChangesAreWrittenDownWithTheirOutcome", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		require.NoError(t, listUsers(with(t.Context(), adminKey), b))
		require.Empty(t, b.entries(t), "reading changes nothing")
		ctx := metadata.AppendToOutgoingContext(with(t.Context(), adminKey), "x-request-id", "r-1")
		require.NoError(t, deleteDocument(ctx, b))
		require.Equal(t, "ROLE_TOO_LOW", reasonOf(deleteDocument(with(t.Context(), b.secret(t, gateway.Viewer, "")), b)))
		require.Error(t, deleteDocument(t.Context(), b))
		entries := b.entries(t)
		require.Len(t, entries, 2, "strangers do not fill the audit")
		denied, done := entries[0], entries[1]
		require.Equal(t, gateway.AuditEntry{
			ID: done.ID, CreateTime: done.CreateTime, Caller: "environment", CallerName: "KNOBOT_ADMIN_API_KEY",
			Method: "knobot.rag.v1.DocumentService/DeleteDocument", Address: "127.0.0.1", Code: "OK", RequestID: "r-1",
		}, done)
		require.Regexp(t, `^key:[0-9A-Za-z]{13}$`, denied.Caller)
		require.Equal(t, "PermissionDenied", denied.Code)
		require.Equal(t, "ROLE_TOO_LOW", denied.Reason)
		require.NotContains(t, fmt.Sprint(entries), "canary-of-a-request")
	})

	t.Run("StreamsAndFailuresToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		client := gatewayv1.NewApiKeyServiceClient(b.conn)
		_, err := client.RevokeApiKey(with(t.Context(), adminKey), &gatewayv1.RevokeApiKeyRequest{Id: "nobodys"})
		require.Error(t, err)
		stream, err := ragv1.NewDocumentServiceClient(b.conn).UploadDocument(with(t.Context(), adminKey))
		require.NoError(t, err)
		_, err = stream.CloseAndRecv()
		require.NoError(t, err)
		listed, err := gatewayv1.NewAuditServiceClient(b.conn).ListAuditEntries(with(t.Context(), adminKey), &gatewayv1.ListAuditEntriesRequest{})
		require.NoError(t, err)
		require.Len(t, listed.GetAuditEntries(), 2)
		require.Equal(t, "knobot.rag.v1.DocumentService/UploadDocument", listed.GetAuditEntries()[0].GetMethod())
		require.Equal(t, "NotFound", listed.GetAuditEntries()[1].GetCode())
		require.Equal(t, "KEY_NOT_FOUND", listed.GetAuditEntries()[1].GetReason())
	})

	t.Run("ItGoesPageByPageAndIsPruned", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		for range 5 {
			require.NoError(t, deleteDocument(with(t.Context(), adminKey), b))
		}
		seen, r := 0, &gatewayv1.ListAuditEntriesRequest{PageSize: 2}
		client := gatewayv1.NewAuditServiceClient(b.conn)
		for {
			page, err := client.ListAuditEntries(with(t.Context(), adminKey), r)
			require.NoError(t, err)
			seen += len(page.GetAuditEntries())
			if r.PageToken = page.GetNextPageToken(); r.PageToken == "" {
				break
			}
		}
		require.Equal(t, 5, seen, "each once; reading the audit adds none")
		_, err := b.pool.Exec(t.Context(), `update audit_entries set create_time = now() - interval '2 hours' where id <> (select max(id) from audit_entries)`)
		require.NoError(t, err)
		pruned, err := b.store.PruneEntries(t.Context(), time.Hour, 3)
		require.NoError(t, err)
		require.EqualValues(t, 3, pruned)
		_, err = b.store.PruneEntries(t.Context(), time.Hour, 3)
		require.NoError(t, err)
		require.Len(t, b.entries(t), 1)
	})

	t.Run("ACallerCannotSayWhereItComesFrom", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		claim := func(b *bundle) string {
			ctx := metadata.AppendToOutgoingContext(with(t.Context(), adminKey), "x-knobot-remote-address", "192.0.2.1")
			require.NoError(t, deleteDocument(ctx, b))
			return b.entries(t)[0].Address
		}
		require.Equal(t, "127.0.0.1", claim(b))
		inside := setup(t, options{address: edge.RemoteAddress})
		require.Equal(t, "192.0.2.1", claim(inside), "inside of the process the edge says it")
	})
}
