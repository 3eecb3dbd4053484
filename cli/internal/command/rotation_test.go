package command_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/knobot/knobot/cli/internal/command"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

func TestKeysetRotateGoesStepByStep(t *testing.T) {
	t.Parallel()
	s := &system{}
	_, run := s.serve(t)
	_, first, _ := run("", "keyset", "reseal")
	require.Contains(t, first, "0 sealed again")
	file := filepath.Join(t.TempDir(), "keyset.json")
	var text bytes.Buffer
	require.Zero(t, command.Run(t.Context(), []string{"keyset", "new"}, nil, &text, &text))
	require.NoError(t, os.WriteFile(file, text.Bytes(), 0o600))
	ids := func() []uint32 { return keyIDs(t, file) }
	old := ids()[0]
	rotate := func() (int, string) { code, out, errs := run("", "keyset", "rotate", file); return code, out + errs }

	code, out := rotate()
	require.Equal(t, 1, code, "both have another keyset")
	require.Contains(t, out, "channels and conversation have no key of this file")

	s.keys = []*typev1.SealingKey{{Id: old, Primary: true, Known: true, SecretCount: 3}}
	code, out = rotate()
	require.Zero(t, code, out)
	require.Contains(t, out, "1 of 3")
	require.Contains(t, out, "every replica of channels, restart", "conversation has a keyset of its own")
	require.Len(t, ids(), 2)
	fresh := ids()[1]
	code, out = rotate()
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "channels does not have the newest key")

	s.keys = append(s.keys, &typev1.SealingKey{Id: fresh, Known: true})
	code, out = rotate()
	require.Zero(t, code, out)
	require.Contains(t, out, "2 of 3")
	code, out = rotate()
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "still seals by an older key")

	s.keys[0].Primary, s.keys[1].Primary, s.resealed, s.told.resealed = false, true, false, false
	code, out = rotate()
	require.Zero(t, code, out)
	require.Contains(t, out, "3 of 3")
	require.True(t, s.resealed)
	require.False(t, s.told.resealed)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Len(t, ids(), 2, "the old key stays")
}

func TestKeysetRotateHeedsEveryServiceThatHasTheKeyset(t *testing.T) {
	t.Parallel()
	s := &system{}
	_, run := s.serve(t)
	file := filepath.Join(t.TempDir(), "keyset.json")
	var text bytes.Buffer
	require.Zero(t, command.Run(t.Context(), []string{"keyset", "new"}, nil, &text, &text))
	require.NoError(t, os.WriteFile(file, text.Bytes(), 0o600))
	rotate := func() (int, string) { code, out, errs := run("", "keyset", "rotate", file); return code, out + errs }
	old := keyIDs(t, file)[0]
	keys := func(primary uint32, all ...uint32) []*typev1.SealingKey {
		var out []*typev1.SealingKey
		for _, id := range all {
			out = append(out, &typev1.SealingKey{Id: id, Known: true, Primary: id == primary})
		}
		return out
	}

	s.keys, s.told.keys = keys(old, old), keys(old, old)
	code, out := rotate()
	require.Zero(t, code, out)
	require.Contains(t, out, "every replica of channels and conversation, restart")
	fresh := keyIDs(t, file)[1]
	s.keys = keys(old, old, fresh)
	code, out = rotate()
	require.Equal(t, 1, code)
	require.Contains(t, out, "conversation does not have the newest key")
	s.told.keys = keys(old, old, fresh)
	code, out = rotate()
	require.Zero(t, code, out)
	require.Contains(t, out, "2 of 3")
	s.keys = keys(fresh, old, fresh)
	code, out = rotate()
	require.Equal(t, 1, code)
	require.Contains(t, out, "conversation still seals by an older key")

	s.told.keys = keys(fresh, old, fresh)
	s.told.keys[0].SecretCount, s.told.unreadable = 2, 1
	code, out = rotate()
	require.Equal(t, 1, code)
	require.Contains(t, out, "1 stored secrets do not open with the keyset of conversation")
	s.told.unreadable = 0
	code, out = rotate()
	require.Zero(t, code, out)
	require.Contains(t, out, "3 of 3: every secret of channels and conversation")
	require.Regexp(t, fmt.Sprintf(`conversation +%d +2 +opens`, old), out)
	require.True(t, s.resealed && s.told.resealed)
}

// keyIDs are the ids of a keyset's keys in their order.
func keyIDs(t *testing.T, file string) []uint32 {
	t.Helper()
	text, err := os.Open(file)
	require.NoError(t, err)
	defer func() { _ = text.Close() }()
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(text))
	require.NoError(t, err)
	var ids []uint32
	for n := range handle.Len() {
		entry, err := handle.Entry(n)
		require.NoError(t, err)
		ids = append(ids, entry.KeyID())
	}
	return ids
}
