package dialogue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestSlots(t *testing.T) {
	t.Parallel()

	t.Run("OneIntegrationMayUseThemAll", func(t *testing.T) {
		t.Parallel()
		s := newSlots(4)
		rooms, free := s.rooms([]conversation.IntegrationID{"a"})
		require.Equal(t, 4, free)
		require.Equal(t, []conversation.Room{{Integration: "a", Free: 4}}, rooms)
	})

	t.Run("OfSeveralNoneHoldsMoreThanHalf", func(t *testing.T) {
		t.Parallel()
		s := newSlots(5)
		both := []conversation.IntegrationID{"a", "b"}
		for range 3 {
			s.take("a")
		}
		rooms, free := s.rooms(both)
		require.Equal(t, 2, free)
		require.Equal(t, []conversation.Room{{Integration: "b", Free: 2}}, rooms)
		s.give("a")
		rooms, _ = s.rooms(both)
		require.Equal(t, []conversation.Room{{Integration: "a", Free: 1, Held: 2}, {Integration: "b", Free: 3}}, rooms)
	})

	t.Run("FullOnesOfferNothing", func(t *testing.T) {
		t.Parallel()
		s := newSlots(0) // at least one
		require.False(t, s.full())
		s.take("a")
		require.True(t, s.full())
		rooms, free := s.rooms([]conversation.IntegrationID{"a"})
		require.Empty(t, rooms)
		require.Zero(t, free)
	})
}
