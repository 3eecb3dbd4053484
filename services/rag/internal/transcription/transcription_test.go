package transcription_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/transcription"
)

type ear func(context.Context, llm.Recording) (string, error)

func (e ear) Transcribe(ctx context.Context, r llm.Recording) (string, error) { return e(ctx, r) }

// once reads one piece.
func once() func() ([]byte, error) {
	read := false
	return func() ([]byte, error) {
		if read {
			return nil, io.EOF
		}
		read = true
		return []byte("OggS"), nil
	}
}

func TestNoMoreThanEightAreHeldAndTheNextIsSentAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		tr := transcription.New(ear(func(context.Context, llm.Recording) (string, error) { <-release; return "hola", nil }), zap.NewNop())
		for range 8 {
			go func() { _, _ = tr.Transcribe(t.Context(), llm.Recording{}, once()) }()
		}
		synctest.Wait()
		_, err := tr.Transcribe(t.Context(), llm.Recording{}, once())
		require.Equal(t, "TRANSCRIBER_BUSY", fault.ReasonOf(err))
		require.Equal(t, fault.Throttled, fault.KindOf(err))
		close(release)
		synctest.Wait()
		text, err := tr.Transcribe(t.Context(), llm.Recording{}, once())
		require.NoError(t, err)
		require.Equal(t, "hola", text)
	})
}

func TestCallerThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		tr := transcription.New(ear(nil), zap.NewNop())
		begin := time.Now()
		_, err := tr.Transcribe(t.Context(), llm.Recording{}, func() ([]byte, error) { <-hang; return nil, io.EOF })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(begin))
	})
}
