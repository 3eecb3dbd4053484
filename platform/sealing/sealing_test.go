package sealing_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/sealing"
)

func TestSealer(t *testing.T) {
	t.Parallel()

	setup := func(t *testing.T) (string, *sealing.Sealer) {
		t.Helper()
		keyset, err := sealing.NewKeyset()
		require.NoError(t, err)
		sealer, err := sealing.New(keyset)
		require.NoError(t, err)
		return keyset, sealer
	}

	t.Run("OpensWhatItSealedAndNothingElse", func(t *testing.T) {
		t.Parallel()
		_, sealer := setup(t)
		sealed, err := sealer.Seal("s3cret", "i1", "app_secret")
		require.NoError(t, err)
		require.NotContains(t, string(sealed), "s3cret")
		opened, err := sealer.Open(sealed, "i1", "app_secret")
		require.NoError(t, err)
		require.Equal(t, "s3cret", opened)
		for _, place := range [][2]string{{"i2", "app_secret"}, {"i1", "bot_token"}} {
			_, err = sealer.Open(sealed, place[0], place[1])
			require.Error(t, err, "a ciphertext that was moved does not open")
		}
	})

	t.Run("KeysetMayBeBase64", func(t *testing.T) {
		t.Parallel()
		keyset, sealer := setup(t)
		same, err := sealing.New(base64.StdEncoding.EncodeToString([]byte(keyset)) + "\n")
		require.NoError(t, err)
		sealed, err := sealer.Seal("s", "i", "f")
		require.NoError(t, err)
		_, err = same.Open(sealed, "i", "f")
		require.NoError(t, err)
	})

	t.Run("RefusesEverythingElseWithoutQuotingIt", func(t *testing.T) {
		t.Parallel()
		_, err := sealing.New("  ")
		require.ErrorIs(t, err, sealing.ErrNoKeyset)
		for _, bad := range []string{"canary!", "Y2FuYXJ5", `{"canary":1}`, `{"primaryKeyId":1,"key":[{"canary":1}]}`} {
			_, err := sealing.New(bad)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "canary")
		}
	})
}
