package command

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBar(t *testing.T) {
	t.Parallel()
	require.Equal(t, "[....................]", bar(0, 0))
	require.Equal(t, "[##########..........]", bar(50, 100))
	require.Equal(t, "[####################]", bar(101, 100), "a document that grew meanwhile")
}
