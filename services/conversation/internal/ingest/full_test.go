package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
)

// held is a store that stores nothing before it is let go.
type held struct {
	ingest.Store
	letGo chan struct{}
}

func (h held) Ingest(ctx context.Context, deliveries []conversation.Delivery) ([]conversation.Receipt, error) {
	<-h.letGo
	return h.Store.Ingest(ctx, deliveries)
}

// TestWhatDoesNotFitIsPushedBack fills the queue before a database that stands still: the caller who finds it full is told so at
// once, and all who got in are stored when it goes on.
func TestWhatDoesNotFitIsPushedBack(t *testing.T) {
	t.Parallel()
	letGo := make(chan struct{})
	b := setup(t, func(s ingest.Store) ingest.Store { return held{s, letGo} })
	const callers = 2000 // more than wait and more than are being stored
	ended := make(chan error, callers)
	for range callers {
		go func() {
			_, err := b.intake.Ingest(t.Context(), b.webhook(b.says("hola")))
			ended <- err
		}()
	}
	pushedBack := 0
	for b.intake.Waiting()+pushedBack < callers-200 { // some are being stored
		select {
		case err := <-ended:
			require.Equal(t, "INTAKE_FULL", fault.ReasonOf(err), "%v", err)
			require.True(t, fault.IsKind(err, fault.Unavailable))
			pushedBack++
		case <-time.After(time.Minute):
			require.Fail(t, "nobody is pushed back")
		}
	}
	require.Positive(t, pushedBack)
	close(letGo)
	stored := 0
	for range callers - pushedBack {
		if err := <-ended; err == nil {
			stored++
		} else {
			require.Equal(t, "INTAKE_FULL", fault.ReasonOf(err), "%v", err)
		}
	}
	require.GreaterOrEqual(t, stored, 1024)
	require.Equal(t, stored, b.count("webhook_logs"))
	require.Equal(t, stored, b.count("messages"))
}
