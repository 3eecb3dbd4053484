package webhook

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gateway "github.com/knobot/knobot/services/gateway"
)

// lock opens for one verify token.
type lock struct{ Verifier }

func (lock) VerifyToken(token string) error {
	if token == "right" {
		return nil
	}
	return gateway.ErrWrongVerifyToken
}

type nobody struct{}

func (nobody) Note(gateway.Rejection) {}

func TestGuessesOfTheVerifyToken(t *testing.T) {
	t.Parallel()

	type bundle struct {
		now time.Time
		try func(token, remote string) error
	}
	setup := func() *bundle {
		b := &bundle{now: time.Unix(1795000000, 0)}
		r := NewReceiver(lock{}, nil, nobody{})
		r.guesses.now = func() time.Time { return b.now }
		b.try = func(token, remote string) error {
			_, err := r.VerifyWhatsApp(Handshake{Mode: "subscribe", Challenge: "1", VerifyToken: token}, remote)
			return err
		}
		return b
	}

	t.Run("AreNotEvenLookedAtAfterTwentyInAMinute", func(t *testing.T) {
		t.Parallel()
		b := setup()
		for range guessesAllowed {
			require.ErrorIs(t, b.try("wrong", "203.0.113.9"), gateway.ErrWrongVerifyToken)
		}
		require.ErrorIs(t, b.try("right", "203.0.113.9"), gateway.ErrTooManyGuesses)
		require.NoError(t, b.try("right", "203.0.113.10"), "nobody else suffers")
		b.now = b.now.Add(guessWindow)
		require.NoError(t, b.try("right", "203.0.113.9"))
	})

	t.Run("RightOnesAreNotCounted", func(t *testing.T) {
		t.Parallel()
		b := setup()
		for range 2 * guessesAllowed {
			require.NoError(t, b.try("right", "203.0.113.9"))
		}
	})

	t.Run("AddressesBeyondTheBoundCountAsOne", func(t *testing.T) {
		t.Parallel()
		b := setup()
		for n := range guessersKnown + guessesAllowed {
			require.ErrorIs(t, b.try("wrong", fmt.Sprint(n)), gateway.ErrWrongVerifyToken)
		}
		require.ErrorIs(t, b.try("wrong", "one more"), gateway.ErrTooManyGuesses)
	})
}
