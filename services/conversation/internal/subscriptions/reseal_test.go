package subscriptions_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/platform/sealing/sealingtest"
	"github.com/knobot/knobot/services/conversation"
)

func TestReSeal(t *testing.T) {
	t.Parallel()

	type rotation struct {
		*bundle
		sealingtest.Keys
	}
	setup := func(t *testing.T) *rotation {
		t.Helper()
		r := &rotation{setup(t), sealingtest.NewKeys(t)}
		r.sealer = r.Old
		r.service = r.with(r.Old)
		return r
	}

	t.Run("DeliveriesAreSignedAsBeforeAndTheOldKeyCanBeTakenAway", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, former := b.subscribe(conversation.NoticeReceived)
		current, err := b.service.RotateSecret(t.Context(), s.ID)
		require.NoError(t, err)

		counted, err := b.with(b.Both).ReSeal(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, 2, counted.Outdated())
		require.Zero(t, counted.ReSealed)
		sealed, err := b.with(b.Both).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, 2, sealed.ReSealed)
		require.ElementsMatch(t, []sealing.Key{{ID: b.OldID, Known: true}, {ID: b.FreshID, Known: true, Primary: true, Secrets: 2}}, sealed.Keys)
		again, err := b.with(b.Both).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Zero(t, again.ReSealed, "a repeat finds nothing to do")

		b.sealer = b.Fresh
		b.run()
		b.writes("hola")
		b.eventually(func() bool { return len(b.deliveries()) == 1 }, "it is told")
		for _, secret := range []string{current, former} {
			b.requireSigned(b.deliveries()[0], secret)
		}
	})

	t.Run("WhatNoKeyOpensIsCountedAndKept", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, secret := b.subscribe(conversation.NoticeReceived)
		for _, sealer := range []*sealing.Sealer{b.Fresh, nil} {
			sealed, err := b.with(sealer).ReSeal(t.Context(), false)
			require.NoError(t, err)
			require.Equal(t, 1, sealed.Unreadable)
			require.Zero(t, sealed.ReSealed)
			require.Contains(t, sealed.Keys, sealing.Key{ID: b.OldID, Secrets: 1})
		}
		var stored []byte
		require.NoError(t, b.pool.QueryRow(t.Context(), `select secret from subscriptions where id = $1`, s.ID).Scan(&stored))
		opened, err := b.Old.Open(stored, string(s.ID), "secret")
		require.NoError(t, err)
		require.Equal(t, secret, opened)
	})

	t.Run("SecretThatIsRotatedMeanwhileIsFoundAsTheFormerOne", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, former := b.subscribe(conversation.NoticeReceived)
		read, err := b.store.SealedSecrets(t.Context())
		require.NoError(t, err)
		require.Len(t, read, 1)
		current, err := b.with(b.Both).RotateSecret(t.Context(), s.ID)
		require.NoError(t, err)
		again, err := b.Fresh.Seal(former, string(s.ID), "secret")
		require.NoError(t, err)
		require.NoError(t, b.store.ReplaceSealed(t.Context(), read[0], again))

		b.sealer = b.Fresh
		b.run()
		b.writes("hola")
		b.eventually(func() bool { return len(b.deliveries()) == 1 }, "it is told")
		b.requireSigned(b.deliveries()[0], current)
		b.requireSigned(b.deliveries()[0], former)
	})

	t.Run("FormerSecretWhoseTimeIsOverKeepsNoKey", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, _ := b.subscribe(conversation.NoticeReceived)
		_, err := b.with(b.Both).RotateSecret(t.Context(), s.ID)
		require.NoError(t, err)
		b.exec(`update subscriptions set former_until = now() - interval '1 second'`)
		counted, err := b.with(b.Fresh).ReSeal(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, []sealing.Key{{ID: b.FreshID, Known: true, Primary: true, Secrets: 1}}, counted.Keys)
	})
}
