// Package sealingtest makes the keysets of a rotation, for tests.
package sealingtest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/knobot/knobot/platform/sealing"
)

// Keys are the sealers before, within and after a rotation.
type Keys struct {
	// Old has the old key alone, Both has both and seals by the fresh one, Fresh has that alone.
	Old, Both, Fresh *sealing.Sealer
	OldID, FreshID   uint32
}

// NewKeys makes two keys.
func NewKeys(t testing.TB) Keys {
	t.Helper()
	manager := keyset.NewManager()
	add := func() uint32 {
		id, err := manager.Add(aead.AES256GCMKeyTemplate())
		require.NoError(t, err)
		require.NoError(t, manager.SetPrimary(id))
		return id
	}
	var k Keys
	k.OldID = add()
	k.Old = sealer(t, manager)
	k.FreshID = add()
	k.Both = sealer(t, manager)
	require.NoError(t, manager.Delete(k.OldID))
	k.Fresh = sealer(t, manager)
	return k
}

func sealer(t testing.TB, manager *keyset.Manager) *sealing.Sealer {
	t.Helper()
	handle, err := manager.Handle()
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)))
	s, err := sealing.New(text.String())
	require.NoError(t, err)
	return s
}
