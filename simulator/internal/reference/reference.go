// Package reference finds the third-party payloads and specifications that
// tests compare with. They lie beside the repository and are no part of it;
// tests that need them are skipped where they are absent.
package reference

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Data returns the folder of reference data: $KNOBOT_SHARED_DIR/reference, or
// ../shared/reference beside the repository.
func Data(t testing.TB) fs.FS {
	t.Helper()
	root := os.Getenv("KNOBOT_SHARED_DIR")
	if root == "" {
		root = filepath.Join(filepath.Dir(repository(t)), "shared")
	}
	data, err := fs.Sub(os.DirFS(root), "reference")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(data, "README.md"); err != nil {
		t.Skip("the reference data is not here: set KNOBOT_SHARED_DIR to the folder that holds reference/")
	}
	return data
}

// repository walks up to the folder of go.work.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("not inside the repository: no go.work above")
		}
		dir = parent
	}
}

// Files returns the names that match the pattern; none is an error.
func Files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := fs.Glob(Data(t), pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no reference file matches %s", pattern)
	}
	return names
}

// Read decodes a JSON file.
func Read(t testing.TB, name string, into any) {
	t.Helper()
	raw, err := fs.ReadFile(Data(t), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
