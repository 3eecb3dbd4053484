package rpcapi

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// FuzzPageToken reads a token that anybody may send: it is one of this list, or refused as such.
func FuzzPageToken(f *testing.F) {
	own, other := list("ListUsers", "ana"), list("ListUsers", "eva")
	for _, seed := range []string{
		encode(own, conversation.Cursor{ID: "01a21863-bb5e-71fe-bcde-ecdb0a61ee2c"}), encode(other, conversation.Cursor{Position: 3}), "", "e30", "====", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cursor, err := decode(own, s)
		switch {
		case err != nil:
			require.Equal(t, "PAGE_TOKEN_INVALID", fault.ReasonOf(err))
		case cursor != nil:
			again, err := decode(own, encode(own, *cursor))
			require.NoError(t, err)
			require.Equal(t, cursor, again)
			_, err = decode(other, s)
			require.Error(t, err, "of another list")
		}
	})
}
