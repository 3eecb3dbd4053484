package reader_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/reader"
)

func TestPDF(t *testing.T) {
	t.Parallel()
	// One reader for all: compiling the sandbox takes seconds.
	r := reader.New(filetest.CacheDir())
	t.Cleanup(r.Close)
	read := func(t *testing.T, content []byte) error {
		t.Helper()
		_, err := r.Read(t.Context(), rag.PDF, content)
		return err
	}

	t.Run("PagesAreParagraphs", func(t *testing.T) {
		t.Parallel()
		got := passagesBy(t, r, rag.PDF, filetest.PDF(
			[]string{"Tienda Sauce", "El envío a Cali cuesta (casi) siempre", "cinco dólares. La devolución es gra-", "tuita durante treinta", "1"},
			[]string{"Tienda Sauce", "días. Hay garantía.", "2"},
			[]string{"Tienda Sauce", "- Pluma", "- Lápiz", "3"}))
		require.Len(t, got, 1)
		require.Equal(t, "El envío a Cali cuesta (casi) siempre cinco dólares. La devolución es gratuita durante treinta "+
			"días. Hay garantía.\n\n- Pluma\n- Lápiz", got[0].Text)
	})

	t.Run("WhatCannotBeReadFailsWithItsReason", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, read(t, filetest.EncryptedPDF()), reader.ErrEncrypted)
		require.ErrorIs(t, read(t, filetest.PDF([]string{}, []string{})), reader.ErrEmpty)
		whole := filetest.PDF([]string{"hola"})
		for name, content := range map[string][]byte{
			"no PDF": []byte("hola"), "empty": {}, "cut": whole[:60], "zeros": append([]byte("%PDF-1.7\n"), make([]byte, 1<<16)...),
		} {
			require.ErrorIs(t, read(t, content), reader.ErrUnreadable, name)
		}
		require.NoError(t, read(t, whole), "a broken one harms nothing")
	})

	t.Run("IsStoppedInTheMiddle", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, read(t, filetest.PDF([]string{"hola"})), "it has started")
		page := make([]string, 50)
		for i := range page {
			page[i] = strings.Repeat("mucho texto ", 8)
		}
		pages := make([][]string, 2_900)
		for i := range pages {
			pages[i] = page
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("enough"))
		defer cancel()
		_, err := r.Read(ctx, rag.PDF, filetest.PDF(pages...))
		require.ErrorContains(t, err, "enough")
		require.NoError(t, read(t, filetest.PDF([]string{"hola"})), "the next one is read")
	})
}
