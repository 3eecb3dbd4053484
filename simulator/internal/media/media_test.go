package media_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator/internal/media"
)

func TestShelf(t *testing.T) {
	t.Parallel()

	t.Run("KeepsAFileWithItsHashAndAMetaLikeID", func(t *testing.T) {
		t.Parallel()
		shelf := media.NewShelf()
		put := shelf.Put([]byte("abc"), "text/plain", "a.txt")
		require.Regexp(t, `^\d{16}$`, put.ID)
		require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", put.SHA256)
		got, ok := shelf.Get(put.ID)
		require.True(t, ok)
		require.Equal(t, put, got)
	})

	t.Run("TheOldestMakesRoomWhenItIsFull", func(t *testing.T) {
		t.Parallel()
		shelf := media.NewShelf()
		big := make([]byte, media.MaxBytes)
		first := shelf.Put(big, "", "")
		for range 10 {
			shelf.Put(big, "", "")
		}
		_, ok := shelf.Get(first.ID)
		require.False(t, ok)
	})
}
