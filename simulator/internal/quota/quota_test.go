package quota_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator/internal/quota"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_795_000_000, 0)
	pair := quota.Rate{Interval: 6 * time.Second, Burst: 45}

	t.Run("AllowsABurstAndThenTheRate", func(t *testing.T) {
		t.Parallel()
		meter := quota.NewMeter()
		for range 45 {
			_, ok := meter.Allow("ana", pair, start)
			require.True(t, ok)
		}
		wait, ok := meter.Allow("ana", pair, start)
		require.False(t, ok)
		require.Equal(t, 6*time.Second, wait)
		_, ok = meter.Allow("ana", pair, start.Add(wait))
		require.True(t, ok)
	})

	t.Run("MetersEachKeyAlone", func(t *testing.T) {
		t.Parallel()
		meter := quota.NewMeter()
		for range 46 {
			meter.Allow("ana", pair, start)
		}
		_, ok := meter.Allow("luis", pair, start)
		require.True(t, ok)
	})

	t.Run("ForgetsIdleKeysWithoutForgivingBusyOnes", func(t *testing.T) {
		t.Parallel()
		meter := quota.NewMeter()
		for i := range 5000 {
			meter.Allow(fmt.Sprint(i), pair, start)
		}
		later := start.Add(time.Second)
		for range 45 {
			meter.Allow("4999", pair, later)
		}
		_, ok := meter.Allow("4999", pair, later)
		require.False(t, ok)
	})
}
