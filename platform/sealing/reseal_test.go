package sealing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/platform/sealing/sealingtest"
)

func TestReSealing(t *testing.T) {
	t.Parallel()

	seal := func(t *testing.T, s *sealing.Sealer) []byte {
		t.Helper()
		sealed, err := s.Seal("s3cret", "i1", "secret")
		require.NoError(t, err)
		return sealed
	}

	t.Run("SealsAgainWhatAnOlderKeySealed", func(t *testing.T) {
		t.Parallel()
		keys := sealingtest.NewKeys(t)
		run := sealing.NewReSealing(keys.Both, false)
		again, err := run.Take(seal(t, keys.Old), "i1", "secret")
		require.NoError(t, err)
		secret, err := keys.Fresh.Open(again, "i1", "secret")
		require.NoError(t, err)
		require.Equal(t, "s3cret", secret)
		again, err = run.Take(again, "i1", "secret")
		require.NoError(t, err)
		require.Nil(t, again, "the primary key sealed it")
		report := run.Report()
		require.Equal(t, 1, report.ReSealed)
		require.Zero(t, report.Outdated())
		require.ElementsMatch(t, []sealing.Key{{ID: keys.OldID, Known: true}, {ID: keys.FreshID, Known: true, Primary: true, Secrets: 2}}, report.Keys)
	})

	t.Run("CountsOnlyWhereThatIsWanted", func(t *testing.T) {
		t.Parallel()
		keys := sealingtest.NewKeys(t)
		run := sealing.NewReSealing(keys.Both, true)
		again, err := run.Take(seal(t, keys.Old), "i1", "secret")
		require.NoError(t, err)
		require.Nil(t, again)
		require.Equal(t, 1, run.Report().Outdated())
	})

	t.Run("WhatDoesNotOpenIsCountedAndNotTouched", func(t *testing.T) {
		t.Parallel()
		keys := sealingtest.NewKeys(t)
		for name, s := range map[string]*sealing.Sealer{"another key": keys.Fresh, "no keyset": nil} {
			run := sealing.NewReSealing(s, false)
			for _, sealed := range [][]byte{seal(t, keys.Old), nil, {9}} {
				again, err := run.Take(sealed, "i1", "secret")
				require.NoError(t, err, name)
				require.Nil(t, again, name)
			}
			report := run.Report()
			require.Equal(t, 3, report.Unreadable, name)
			require.Contains(t, report.Keys, sealing.Key{ID: keys.OldID, Secrets: 1}, name)
			require.Contains(t, report.Keys, sealing.Key{Secrets: 2}, "of a key that is not named")
		}
	})
}
