package access

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNetworkIsWhatOneCustomerHolds(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1%eth0": "2001:db8:1:2::/64", "::1": "::/64", "": "", "not an address": "",
	} {
		require.Equal(t, want, network(address), address)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	now := time.Now()

	t.Run("TokensComeBackWithTime", func(t *testing.T) {
		t.Parallel()
		b := newBuckets(Rate{PerSecond: 0.5, Burst: 2})
		require.Zero(t, b.take("a", now))
		require.Zero(t, b.wait("a", now))
		require.Zero(t, b.take("a", now))
		require.Equal(t, 2*time.Second, b.wait("a", now))
		require.Equal(t, 2*time.Second, b.take("a", now))
		require.Equal(t, 2*time.Second, b.take("a", now), "who is refused does not wait longer for it")
		require.Zero(t, b.take("b", now), "another one's are not used up")
		require.Zero(t, b.take("a", now.Add(2*time.Second)))
	})

	t.Run("StrangersDoNotFillTheMemory", func(t *testing.T) {
		t.Parallel()
		b := newBuckets(Rate{PerSecond: 1, Burst: 1})
		for n := range maxBuckets + 100 {
			b.take(fmt.Sprint(n), now)
		}
		require.Equal(t, maxBuckets, b.of.Len())
	})
}
