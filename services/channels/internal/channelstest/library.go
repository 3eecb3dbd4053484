package channelstest

import (
	"context"
	"io"
	"strings"
	"sync"

	"github.com/knobot/knobot/services/channels"
)

// Library is a media library in memory.
type Library struct {
	mu    sync.Mutex
	files map[string]libraryFile
	err   error
}

type libraryFile struct {
	stored  channels.StoredFile
	content string
}

// NewLibrary returns an empty library.
func NewLibrary() *Library { return &Library{files: map[string]libraryFile{}} }

// Put stores a file.
func (l *Library) Put(f channels.StoredFile, content string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.SizeBytes == 0 {
		f.SizeBytes = int64(len(content))
	}
	l.files[f.ID] = libraryFile{stored: f, content: content}
}

// Remove forgets a file.
func (l *Library) Remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.files, id)
}

// Fail makes the library fail from now on, unless err is nil.
func (l *Library) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// Open implements channels.MediaLibrary.
func (l *Library) Open(_ context.Context, id string) (channels.StoredFile, io.ReadCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, found := l.files[id]
	switch {
	case l.err != nil:
		return channels.StoredFile{}, nil, l.err
	case !found:
		return channels.StoredFile{}, nil, channels.ErrMediaNotFound
	}
	return f.stored, io.NopCloser(strings.NewReader(f.content)), nil
}
