package faults_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/faults"
)

func TestSet(t *testing.T) {
	t.Parallel()
	ana := simulator.Chat{Platform: simulator.WhatsApp, Account: "1", User: "57"}
	order := func(t *testing.T, set *faults.Set, f simulator.Fault) {
		t.Helper()
		_, err := set.Add(f)
		require.NoError(t, err)
	}

	t.Run("StrikesAsOftenAsOrderedAfterThoseItSkips", func(t *testing.T) {
		t.Parallel()
		set := faults.NewSet()
		order(t, set, simulator.Fault{Kind: simulator.FaultReset, Skip: 1, Count: 2})
		var struck []bool
		for range 4 {
			_, ok := set.Take(faults.Send, ana, "messages", true)
			struck = append(struck, ok)
		}
		require.Equal(t, []bool{false, true, true, false}, struck)
		require.Empty(t, set.List())
	})

	t.Run("WithoutEndUntilItIsCalledOff", func(t *testing.T) {
		t.Parallel()
		set := faults.NewSet()
		order(t, set, simulator.Fault{Kind: simulator.FaultStatusNever, Count: -1})
		for range 5 {
			_, ok := set.Take(faults.Status, ana, "", true)
			require.True(t, ok)
		}
		set.Remove(0)
		_, ok := set.Take(faults.Status, ana, "", true)
		require.False(t, ok)
	})

	t.Run("StrikesOnlyWhereItShould", func(t *testing.T) {
		t.Parallel()
		other := simulator.Chat{Platform: simulator.Telegram, Account: "1", User: "57"}
		cases := map[string]struct {
			fault  simulator.Fault
			chat   simulator.Chat
			method string
			sends  bool
			want   bool
		}{
			"SendsWhenNoMethodIsNamed":     {simulator.Fault{}, ana, "messages", true, true},
			"NotReadsWhenNoMethodIsNamed":  {simulator.Fault{}, ana, "read", false, false},
			"NamedMethodIgnoresCase":       {simulator.Fault{Method: "SendChatAction"}, ana, "sendchataction", false, true},
			"StarMeansEveryCall":           {simulator.Fault{Method: "*"}, ana, "read", false, true},
			"AnotherPlatformIsLeftAlone":   {simulator.Fault{Chat: ana}, other, "messages", true, false},
			"TheNamedCustomerIsHit":        {simulator.Fault{Chat: simulator.Chat{User: "57"}}, other, "messages", true, true},
			"AnotherCustomerIsLeftAlone":   {simulator.Fault{Chat: simulator.Chat{User: "58"}}, ana, "messages", true, false},
			"AnotherAccountIsLeftAlone":    {simulator.Fault{Chat: simulator.Chat{Account: "2"}}, ana, "messages", true, false},
			"ANamedMethodSparesTheOthers":  {simulator.Fault{Method: "read"}, ana, "messages", true, false},
			"AWholeChatMatchesItselfAlone": {simulator.Fault{Chat: ana}, ana, "messages", true, true},
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				set := faults.NewSet()
				c.fault.Kind = simulator.FaultReset
				order(t, set, c.fault)
				_, ok := set.Take(faults.Send, c.chat, c.method, c.sends)
				require.Equal(t, c.want, ok)
			})
		}
	})

	t.Run("RefusesOrdersThatMeanNothing", func(t *testing.T) {
		t.Parallel()
		set := faults.NewSet()
		_, err := set.Add(simulator.Fault{Kind: "earthquake"})
		require.ErrorContains(t, err, "earthquake")
		_, err = set.Add(simulator.Fault{Kind: simulator.FaultError})
		require.ErrorContains(t, err, "code")
	})
}
