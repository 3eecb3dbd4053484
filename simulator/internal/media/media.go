// Package media keeps the files that the simulated phones and the program
// under test exchange, in memory and bounded.
package media

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"sync"

	"github.com/knobot/knobot/simulator"
)

// MaxBytes is the largest file that is kept. Real limits depend on the kind:
// 16 MB for WhatsApp audio and video, 100 MB for documents (Meta's media page,
// September 2026).
const MaxBytes = 24 << 20

const maxTotal = 256 << 20

// File is a kept file.
type File struct {
	simulator.Media
	Content []byte
}

// Shelf keeps files by id, dropping the oldest when it gets too full.
type Shelf struct {
	mu    sync.Mutex
	files map[string]File
	order []string
	total int
}

// NewShelf returns an empty shelf.
func NewShelf() *Shelf { return &Shelf{files: make(map[string]File)} }

// Put keeps content and returns it with its id, size and hash.
func (s *Shelf) Put(content []byte, mimeType, filename string) File {
	sum := sha256.Sum256(content)
	file := File{Content: content, Media: simulator.Media{
		ID: newID(), MIMEType: mimeType, Filename: filename,
		SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)),
	}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[file.ID] = file
	s.order = append(s.order, file.ID)
	s.total += len(content)
	for s.total > maxTotal && len(s.order) > 1 {
		oldest := s.order[0]
		s.order = s.order[1:]
		s.total -= len(s.files[oldest].Content)
		delete(s.files, oldest)
	}
	return file
}

// Get returns a kept file.
func (s *Shelf) Get(id string) (File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, ok := s.files[id]
	return file, ok
}

// Damaged returns content with its first byte changed if it is to be damaged.
func Damaged(content []byte, damage bool) []byte {
	if !damage || len(content) == 0 {
		return content
	}
	changed := bytes.Clone(content)
	changed[0] ^= 0xff
	return changed
}

// newID makes an id of 16 digits, like those of Meta.
func newID() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9e15))
	if err != nil { // crypto/rand never fails on supported systems
		panic(err)
	}
	return n.Add(n, big.NewInt(1e15)).String()
}
