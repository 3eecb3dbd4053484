package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// adminKeyFile holds the owner's key of the management API that Up makes.
const adminKeyFile = "admin-api-key"

// ensureAdminKey makes an owner's key of the management API, once, readable by this user only, and returns the file's path.
func ensureAdminKey(dataDir string) (string, error) {
	path := filepath.Join(dataDir, adminKeyFile)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // below our own data folder
	if errors.Is(err, fs.ErrExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	_, err = file.WriteString("admin-" + randomHex() + randomHex() + "\n")
	return path, errors.Join(err, file.Close())
}

// AdminKey returns the key that Up made in a data folder, or in the one that it would choose where none is named; empty if
// there is none to be read.
func AdminKey(dataDir string) string {
	dir, err := dataPath(dataDir)
	if err != nil {
		return ""
	}
	key, err := os.ReadFile(filepath.Join(dir, adminKeyFile)) //nolint:gosec // below our own data folder
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(key))
}
