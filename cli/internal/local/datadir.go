package local

import (
	"net/url"
	"os"
	"path/filepath"
)

// rootDataDir is where root's data lies when the working folder is closed to the user that PostgreSQL runs as.
const rootDataDir = "/var/lib/knobot"

// dataDir makes the folder for what stays between starts.
func dataDir(named string) (string, error) {
	dir, err := dataPath(named)
	if err != nil {
		return "", err
	}
	// PostgreSQL refuses to run as root; the user that it runs as instead must be able to pass through.
	return dir, os.MkdirAll(dir, 0o711) //nolint:gosec // passing through shows nothing of what is inside
}

// dataPath is the folder that was named, else .knobot below the working folder.
func dataPath(named string) (string, error) {
	dir := named
	if dir == "" {
		dir = ".knobot"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if named == "" && os.Geteuid() == 0 && !passable(filepath.Dir(dir)) {
		dir = rootDataDir
	}
	return dir, nil
}

// mediaURL is where files of customers and to customers are kept.
func mediaURL(dataDir string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dataDir, "media"))}).String()
}

// passable says whether every user may enter a folder, that is, pass all folders above it.
func passable(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}
