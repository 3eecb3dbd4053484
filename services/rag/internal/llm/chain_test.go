package llm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/services/rag/internal/llm"
)

// scripted is a model that does what a test says.
type scripted struct {
	name  string
	sees  bool
	calls int
	do    func(ctx context.Context, seen func(string)) (llm.Completion, error)
}

func (s *scripted) Name() string { return s.name }
func (s *scripted) Sees() bool   { return s.sees }

func (s *scripted) Complete(ctx context.Context, p llm.Prompt) (llm.Completion, error) {
	return s.Stream(ctx, p, func(string) {})
}

func (s *scripted) Stream(ctx context.Context, _ llm.Prompt, seen func(string)) (llm.Completion, error) {
	s.calls++
	return s.do(ctx, seen)
}

var errAway = errors.New("away")

func fails(err error) func(context.Context, func(string)) (llm.Completion, error) {
	return func(context.Context, func(string)) (llm.Completion, error) { return llm.Completion{}, err }
}

func answers(text string) func(context.Context, func(string)) (llm.Completion, error) {
	return func(_ context.Context, seen func(string)) (llm.Completion, error) {
		seen(text)
		return llm.Completion{Model: text, Text: text}, nil
	}
}

func hangs(ctx context.Context, _ func(string)) (llm.Completion, error) {
	<-ctx.Done()
	return llm.Completion{}, ctx.Err()
}

func TestChain(t *testing.T) {
	t.Parallel()
	type bundle struct {
		first, second *scripted
		chain         *llm.Chain
	}
	setup := func() bundle {
		b := bundle{first: &scripted{name: "a", do: answers("one")}, second: &scripted{name: "b", do: answers("two")}}
		b.chain = llm.NewChain(zap.NewNop(), b.first, b.second)
		return b
	}
	complete := func(t *testing.T, b bundle) (string, error) {
		t.Helper()
		completion, err := b.chain.Complete(t.Context(), prompt())
		return completion.Text, err
	}

	t.Run("AsksTheNextOnlyWhenOneFails", func(t *testing.T) {
		t.Parallel()
		b := setup()
		text, err := complete(t, b)
		require.NoError(t, err)
		require.Equal(t, "one", text)
		require.Zero(t, b.second.calls)
		for _, err := range []error{errAway, llm.ErrEmpty, llm.ErrCut, llm.ErrRefused} {
			b.first.do = fails(err)
			text, err := complete(t, b)
			require.NoError(t, err)
			require.Equal(t, "two", text)
		}
		require.Equal(t, "a", b.chain.Name())
	})

	t.Run("AllErrorsComeTogether", func(t *testing.T) {
		t.Parallel()
		b := setup()
		b.first.do, b.second.do = fails(llm.ErrRefused), fails(errAway)
		_, err := complete(t, b)
		require.ErrorIs(t, err, llm.ErrRefused)
		require.ErrorIs(t, err, errAway)
	})

	t.Run("OneThatHangsLeavesTimeForTheNext", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := setup()
			b.first.do = hangs
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			begin := time.Now()
			completion, err := b.chain.Complete(ctx, prompt())
			require.NoError(t, err)
			require.Equal(t, "two", completion.Text)
			require.Equal(t, 5*time.Second, time.Since(begin))

			b.second.do = hangs
			_, err = b.chain.Complete(ctx, prompt())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 10*time.Second, time.Since(begin))
		})
	})

	t.Run("OneThatKeepsFailingCostsNoTimeAndIsTriedAgainLater", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := setup()
			b.first.do = hangs
			ask := func() time.Duration {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				begin := time.Now()
				_, err := b.chain.Complete(ctx, prompt())
				require.NoError(t, err)
				return time.Since(begin)
			}
			for range 3 {
				require.Equal(t, 5*time.Second, ask())
			}
			require.Zero(t, ask())
			require.Equal(t, 3, b.first.calls)

			<-time.After(15 * time.Second) // the bubble's clock
			require.Equal(t, 5*time.Second, ask(), "a trial that fails")
			require.Zero(t, ask())
			require.Equal(t, 4, b.first.calls)

			b.first.do = answers("one")
			<-time.After(15 * time.Second)
			for range 2 {
				text, err := complete(t, b)
				require.NoError(t, err)
				require.Equal(t, "one", text, "it is back")
			}
		})
	})

	t.Run("WhatDependsOnTheContentPutsNobodyToRest", func(t *testing.T) {
		t.Parallel()
		b := setup()
		for _, err := range []error{llm.ErrRefused, llm.ErrEmpty, llm.ErrCut, context.Canceled} {
			b.first.do = fails(err)
			for range 4 {
				_, _ = complete(t, b)
			}
		}
		require.Equal(t, 16, b.first.calls)
	})

	t.Run("TrialWhoseCallerWentAwayIsRepeated", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := setup()
			b.first.do = fails(errAway)
			for range 4 {
				_, _ = complete(t, b)
			}
			for range 2 {
				<-time.After(15 * time.Second)
				b.first.do = fails(context.Canceled)
				_, _ = complete(t, b)
			}
			require.Equal(t, 5, b.first.calls)
		})
	})

	t.Run("FilesGoToModelsThatSee", func(t *testing.T) {
		t.Parallel()
		b := setup()
		require.False(t, b.chain.Sees())
		b.second.sees = true
		require.True(t, b.chain.Sees())
		files := llm.Prompt{Messages: []llm.Message{{Role: llm.User, Files: []llm.File{{MIMEType: "image/png"}}}}}
		completion, err := b.chain.Complete(t.Context(), files)
		require.NoError(t, err)
		require.Equal(t, "two", completion.Text)
		require.Zero(t, b.first.calls)
	})

	t.Run("OnlyOneModelIsShown", func(t *testing.T) {
		t.Parallel()
		b := setup()
		stream := func() []string {
			var seen []string
			completion, err := b.chain.Stream(t.Context(), prompt(), func(text string) { seen = append(seen, text) })
			require.NoError(t, err)
			require.Equal(t, "two", completion.Text)
			return seen
		}
		b.first.do = fails(errAway)
		require.Equal(t, []string{"two"}, stream())
		b.first.do = func(_ context.Context, seen func(string)) (llm.Completion, error) {
			seen("on")
			return llm.Completion{}, errAway
		}
		require.Equal(t, []string{"on"}, stream())
	})
}
