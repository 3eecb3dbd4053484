package simulator_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

func TestStatesRiseAndFailureIsFinal(t *testing.T) {
	t.Parallel()
	order := []simulator.State{
		simulator.StateAccepted, simulator.StateSent, simulator.StateDelivered, simulator.StateRead,
	}
	for i, from := range order {
		for j, to := range order {
			require.Equal(t, j > i, from.CanBecome(to), "%s to %s", from, to)
		}
		require.Equal(t, i < 2, from.CanBecome(simulator.StateFailed), "%s to failed", from)
		require.False(t, simulator.StateFailed.CanBecome(from))
	}
}

func TestDurationsAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(simulator.Fault{Kind: simulator.FaultHang, Delay: simulator.Duration(1500 * time.Millisecond)})
	require.NoError(t, err)
	require.Contains(t, string(raw), `"delay":"1.5s"`)
	var f simulator.Fault
	require.NoError(t, json.Unmarshal([]byte(`{"delay":"2m"}`), &f))
	require.Equal(t, simulator.Duration(2*time.Minute), f.Delay)
	require.Error(t, json.Unmarshal([]byte(`{"delay":"soon"}`), &f))
}

func TestPublicAccountsHoldNoSecret(t *testing.T) {
	t.Parallel()
	n := simulator.Number{ID: "1", AccessToken: "secret", VerifyToken: "secret", AppSecret: "secret"}
	b := simulator.Bot{ID: "2", Token: "secret", SecretToken: "secret"}
	raw, err := json.Marshal(simulator.Accounts{Numbers: []simulator.Number{n.Public()}, Bots: []simulator.Bot{b.Public()}})
	require.NoError(t, err)
	require.NotContains(t, string(raw), "secret")
}
