package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// ensureKeyset makes the key that seals secrets at rest, once, readable by this user only, and returns the file's path.
// Who loses it must enter the credentials of every integration again.
func ensureKeyset(dataDir string) (string, error) {
	path := filepath.Join(dataDir, "keyset.json")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make an encryption keyset: %w", err)
	}
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&buf)); err != nil {
		return "", fmt.Errorf("write the encryption keyset: %w", err)
	}
	return path, os.WriteFile(path, buf.Bytes(), 0o600)
}
