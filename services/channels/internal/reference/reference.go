// Package reference finds the recorded payloads that tests compare with. They were made by others, are not part of the
// project, and lie beside the repository or where KNOBOT_SHARED_DIR says; tests are skipped without them.
package reference

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Glob returns the files of the reference data that match a pattern such as "whatsapp/responses/*.json". It skips the test
// if there is no reference data.
func Glob(t testing.TB, pattern string) []string {
	t.Helper()
	files := Find(pattern)
	if len(files) == 0 {
		t.Skip("no reference data; set KNOBOT_SHARED_DIR to the folder that holds reference/")
	}
	return files
}

// Find is Glob for a test that goes on without: it returns none then.
func Find(pattern string) []string {
	shared := os.Getenv("KNOBOT_SHARED_DIR")
	if shared == "" {
		shared = besideRepository()
	}
	files, err := filepath.Glob(filepath.Join(shared, "reference", filepath.FromSlash(pattern)))
	if err != nil || shared == "" {
		return nil
	}
	return files
}

// Load decodes a JSON file. Numbers stay as they are written.
func Load(t testing.TB, file string, into any) {
	t.Helper()
	content, err := os.DirFS(filepath.Dir(file)).Open(filepath.Base(file))
	require.NoError(t, err)
	defer func() { _ = content.Close() }()
	decoder := json.NewDecoder(content)
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(into), file)
}

// besideRepository returns the folder "shared" beside that of go.work, empty outside a repository.
func besideRepository() string {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared")
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return ""
}

// Response is a recorded answer of a provider.
type Response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// Bytes returns the body as sent: a JSON string stands for a body that is not JSON.
func (r Response) Bytes() []byte {
	var text string
	if json.Unmarshal(r.Body, &text) == nil {
		return []byte(text)
	}
	return r.Body
}
