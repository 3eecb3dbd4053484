package local

import (
	"os"
	"path/filepath"
	"strings"
)

// adminKeyFile is where `make up` keeps its management key, below the data folder.
const adminKeyFile = "admin_api_key"

// AdminKey is the management key of the last `make up` in this folder, or root's; empty if there is none to be read.
func AdminKey() string {
	for _, dir := range []string{os.Getenv("KNOBOT_DATA_DIR"), ".knobot", rootDataDir} {
		if dir == "" {
			continue
		}
		if text, err := os.ReadFile(filepath.Join(dir, adminKeyFile)); err == nil { //nolint:gosec // names of ours
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}
