package media

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/google/uuid"

	"github.com/knobot/knobot/services/channels"
)

// sniffed is how many bytes tell what a file is.
const sniffed = 512

// intake measures a file while it is read, and ends the reading with an error instead of its end if the file may not be kept.
// A store that writes all or nothing then writes nothing.
type intake struct {
	from  *bufio.Reader
	limit int64
	check func(size int64, sum []byte) error
	size  int64
	hash  hash.Hash
}

// newIntake reads at most limit bytes; check judges the whole file.
func newIntake(r io.Reader, limit int64, check func(size int64, sum []byte) error) *intake {
	return &intake{from: bufio.NewReaderSize(&sticky{from: r}, 64<<10), limit: limit, check: check, hash: sha256.New()}
}

// head returns the first bytes. An error comes back with the next Read.
func (i *intake) head() []byte {
	head, _ := i.from.Peek(sniffed)
	return head
}

// Read reads.
func (i *intake) Read(p []byte) (int, error) {
	n, err := i.from.Read(p)
	i.size += int64(n)
	_, _ = i.hash.Write(p[:n]) // never fails
	switch {
	case i.size > i.limit:
		return 0, channels.ErrMediaTooLarge
	case errors.Is(err, io.EOF):
		if refusal := i.check(i.size, i.hash.Sum(nil)); refusal != nil {
			return n, refusal
		}
	}
	return n, err
}

// sticky fails again where it failed: a look ahead does not use an error up.
type sticky struct {
	from io.Reader
	err  error
}

// Read reads.
func (s *sticky) Read(p []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	n, s.err = s.from.Read(p)
	return n, s.err
}

// newRecord returns a file that is to be kept. The key is made of ids of ours.
func newRecord(integrationID, filename string) channels.MediaRecord {
	id := uuid.NewString()
	return channels.MediaRecord{
		StoredFile: channels.StoredFile{ID: id, IntegrationID: integrationID, Filename: channels.CleanFilename(filename)},
		BlobKey:    integrationID + "/" + id,
	}
}

// keep writes a file and then its row. What was written in vain is left to the reaper: only the note of a write tells for
// sure that no row has come of it.
func (s *Service) keep(ctx context.Context, m channels.MediaRecord, body *intake) (channels.MediaRecord, error) {
	if err := s.store.BeginMedia(ctx, m.BlobKey); err != nil {
		return m, err
	}
	if err := s.bucket.Write(ctx, m.BlobKey, body); err != nil {
		return m, err
	}
	m.SizeBytes, m.SHA256 = body.size, hex.EncodeToString(body.hash.Sum(nil))
	stored, err := s.store.CommitMedia(ctx, m)
	if errors.Is(err, channels.ErrMediaGone) { // whose customer was forgotten while it came: not an hour longer
		err = errors.Join(err, s.bucket.Delete(ctx, m.BlobKey))
	}
	return stored, err
}
