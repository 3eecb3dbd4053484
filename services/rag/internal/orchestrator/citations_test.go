package orchestrator

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMarksAreTakenOutAndLinksStay(t *testing.T) {
	t.Parallel()
	text, cited, known := read("Dura mucho [2][1, 99]. Ver [2](https://example.com) [77].", 2)
	require.True(t, known)
	require.Equal(t, "Dura mucho. Ver [2](https://example.com).", text)
	require.Equal(t, []int{1, 0}, cited)
}
