package bucket_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/bucket"
)

const key = "integration/file"

func open(t *testing.T, address string) *bucket.Bucket {
	t.Helper()
	b, err := bucket.Open(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b
}

// exercise does with a bucket of any kind what the service does.
func exercise(t *testing.T, b *bucket.Bucket, content []byte) {
	t.Helper()
	_, _, err := b.Read(t.Context(), key)
	require.ErrorIs(t, err, channels.ErrNotFound)
	has, err := b.Has(t.Context(), key, int64(len(content)))
	require.NoError(t, err)
	require.False(t, has)

	broken := errors.New("broken")
	require.ErrorIs(t, b.Write(t.Context(), key, io.MultiReader(bytes.NewReader(content), iotest.ErrReader(broken))), broken)
	_, _, err = b.Read(t.Context(), key)
	require.ErrorIs(t, err, channels.ErrNotFound, "half a file is none")

	require.NoError(t, b.Write(t.Context(), key, bytes.NewReader(content)))
	body, size, err := b.Read(t.Context(), key)
	require.NoError(t, err)
	require.EqualValues(t, len(content), size)
	got, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.True(t, bytes.Equal(content, got))
	has, err = b.Has(t.Context(), key, size)
	require.NoError(t, err)
	require.True(t, has)
	has, err = b.Has(t.Context(), key, size+1)
	require.NoError(t, err)
	require.False(t, has)

	require.NoError(t, b.Delete(t.Context(), key))
	require.NoError(t, b.Delete(t.Context(), key))
	_, _, err = b.Read(t.Context(), key)
	require.ErrorIs(t, err, channels.ErrNotFound)
}

func TestFolder(t *testing.T) {
	t.Parallel()

	t.Run("KeepsFiles", func(t *testing.T) {
		t.Parallel()
		exercise(t, open(t, "file://"+t.TempDir()), bytes.Repeat([]byte("abc"), 1<<20))
	})

	t.Run("IsMadeAndClosedToOthersAndHoldsNothingElse", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "data", "media")
		b := open(t, "file://"+dir)
		require.NoError(t, b.Write(t.Context(), key, strings.NewReader("x")))
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		var found []string
		require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				found = append(found, path)
			}
			return err
		}))
		require.Equal(t, []string{filepath.Join(dir, "integration", "file")}, found)
	})

	t.Run("FailureOfTheDiskMayBeTriedAgain", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		b := open(t, "file://"+dir)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "integration"), nil, 0o600)) // where a folder is needed
		err := b.Write(t.Context(), key, strings.NewReader("x"))
		require.Equal(t, "MEDIA_STORE_UNAVAILABLE", fault.ReasonOf(err))
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.NotContains(t, fault.MessageOf(err), dir)
	})

	t.Run("FolderThatCannotBeMadeIsSaidAtOnce", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, err := bucket.Open(t.Context(), "file://"+file+"/media")
		require.Error(t, err)
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"file:///var/lib/knobot/media", "file://./.knobot/media", "s3://bucket?region=eu-west-1"} {
		require.NoError(t, bucket.Check(good), good)
	}
	for _, bad := range []string{"", "/var/lib/media", "file://", "s3://", "mem://", "gs://bucket", "https://example.org/bucket", "s3:bucket", "%"} {
		require.Error(t, bucket.Check(bad), bad)
		_, err := bucket.Open(t.Context(), bad)
		require.Error(t, err, bad)
	}
}

func TestS3KeepsFiles(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&objects{kept: map[string][]byte{}})
	t.Cleanup(server.Close)
	exercise(t, open(t, "s3://bucket?anonymous=true&region=us-east-1&use_path_style=true&request_checksum_calculation=when_required&endpoint="+server.URL),
		[]byte("content"))
}

// objects is as much of S3 as small files need.
type objects struct {
	mu   sync.Mutex
	kept map[string][]byte
}

// ServeHTTP answers.
func (o *objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		if err == nil {
			o.kept[r.URL.Path] = body
		}
	case http.MethodDelete:
		delete(o.kept, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		content, ok := o.kept[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>none</Message></Error>`)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Header().Set("Last-Modified", "Thu, 26 Nov 2026 10:00:00 GMT")
		_, _ = w.Write(content)
	}
}
