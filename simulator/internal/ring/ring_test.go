package ring_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator/internal/ring"
)

func TestLog(t *testing.T) {
	t.Parallel()
	number := func(seq int64) int64 { return seq }

	t.Run("KeepsOnlyTheLast", func(t *testing.T) {
		t.Parallel()
		log := ring.New[int64](3)
		for range 10 {
			log.Append(number)
		}
		all, _ := log.Since(0)
		require.Equal(t, []int64{8, 9, 10}, all)
		newest, _ := log.Since(9)
		require.Equal(t, []int64{10}, newest)
		require.EqualValues(t, 10, log.Last())
	})

	t.Run("WakesReadersThatWait", func(t *testing.T) {
		t.Parallel()
		log := ring.New[int64](3)
		none, more := log.Since(0)
		require.Empty(t, none)
		log.Append(number)
		<-more
		found, _ := log.Since(0)
		require.Equal(t, []int64{1}, found)
	})

	t.Run("KnowsNothingOfTheFuture", func(t *testing.T) {
		t.Parallel()
		log := ring.New[int64](0)
		log.Append(number)
		found, _ := log.Since(100)
		require.Empty(t, found)
	})
}
