package requestid_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/requestid"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a-Z_0.9", requestid.Accept("a-Z_0.9"))
	require.Equal(t, strings.Repeat("x", 64), requestid.Accept(strings.Repeat("x", 64)))
	for _, bad := range []string{"", strings.Repeat("x", 65), "two words", "line\nbreak", "ñ", "<b>"} {
		got := requestid.Accept(bad)
		require.NotEqual(t, bad, got)
		require.Len(t, got, 26)
	}
}

func TestContextCarriesTheID(t *testing.T) {
	t.Parallel()
	require.Empty(t, requestid.From(t.Context()))
	require.Equal(t, "r1", requestid.From(requestid.With(t.Context(), "r1")))
}
