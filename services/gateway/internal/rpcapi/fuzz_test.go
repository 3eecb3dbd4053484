package rpcapi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

// FuzzPageToken reads a token that anybody may send: it is one of this list, or refused as such.
func FuzzPageToken(f *testing.F) {
	keys := []gateway.APIKey{{ID: "a", CreateTime: time.UnixMicro(1)}, {ID: "b", CreateTime: time.UnixMicro(2)}}
	_, ofKeys := cut(keys, 1, keyToken)
	_, ofEntries := cut([]gateway.AuditEntry{{ID: 7}, {ID: 6}}, 1, entryToken)
	for _, token := range []string{ofKeys, ofEntries, "", "x", "LTEvYQ", "MS8g", "OTIyMzM3MjAzNjg1NDc3NTgwOC9h", "MDAxL2E"} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, after, err := keysPage(0, token); err != nil {
			require.Equal(t, "PAGE_TOKEN_INVALID", fault.ReasonOf(err))
		} else if token != "" {
			require.NotEmpty(t, after.ID)
			require.Less(t, after.CreateTime.Year(), 10_000)
		}
		if _, before, err := entriesPage(0, token); err != nil {
			require.Equal(t, "PAGE_TOKEN_INVALID", fault.ReasonOf(err))
		} else {
			require.GreaterOrEqual(t, before, int64(0))
		}
	})
}
