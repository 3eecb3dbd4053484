package media

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// Fetch takes a customer's file from its provider, or returns it if it is stored already. Of several calls at once one
// fetches. It goes on when the caller leaves, and the next call finds the file.
func (s *Service) Fetch(ctx context.Context, integrationID string, r channels.ReceivedMedia) (channels.MediaRecord, error) {
	m, err := s.store.FetchedMedia(ctx, integrationID, r.ProviderID)
	switch {
	case errors.Is(err, channels.ErrNotFound):
		return s.once(ctx, "fetch "+integrationID+"/"+r.ProviderID, func(ctx context.Context) (channels.MediaRecord, error) {
			return s.fetch(ctx, integrationID, r)
		})
	case err != nil:
		return m, err
	}
	there, err := s.bucket.Has(ctx, m.BlobKey, m.SizeBytes)
	if err == nil && !there {
		err = s.restore(ctx, m)
	}
	return m, err
}

// once runs f for one of several callers with one key, apart from their contexts.
func (s *Service) once(
	ctx context.Context, key string, f func(ctx context.Context) (channels.MediaRecord, error),
) (channels.MediaRecord, error) {
	values := context.WithoutCancel(ctx)
	done := s.fetches.DoChan(key, func() (any, error) {
		s.running.Add(1)
		defer s.running.Done()
		ctx, cancel := context.WithTimeout(values, transferTimeout)
		defer cancel()
		defer context.AfterFunc(s.stopped, cancel)()
		if err := s.slots.Acquire(ctx, 1); err != nil {
			return channels.MediaRecord{}, fault.New(fault.Unavailable, "PROVIDER_UNAVAILABLE", "too many files at a time, try again")
		}
		defer s.slots.Release(1)
		return f(ctx)
	})
	select {
	case result := <-done:
		m, _ := result.Val.(channels.MediaRecord)
		return m, result.Err
	case <-ctx.Done():
		return channels.MediaRecord{}, ctx.Err()
	}
}

// fetch takes a file in under a new id.
func (s *Service) fetch(ctx context.Context, integrationID string, r channels.ReceivedMedia) (channels.MediaRecord, error) {
	if r.SizeBytes > channels.MaxMediaBytes {
		return channels.MediaRecord{}, asFault(channels.ErrMediaTooLarge)
	}
	// Another call may have ended between our look and our turn.
	stored, err := s.store.FetchedMedia(ctx, integrationID, r.ProviderID)
	if !errors.Is(err, channels.ErrNotFound) {
		return stored, err
	}
	err = s.open(ctx, integrationID, r.ProviderID, func(ctx context.Context, file channels.ProviderFile) error {
		body := newIntake(file.Body, channels.MaxMediaBytes, genuine(file, r.SHA256, file.SHA256))
		m := newRecord(integrationID, r.Filename)
		m.ProviderID, m.MIMEType = r.ProviderID, channels.SafeMIMEType(stated(file.MIMEType, r.MIMEType), body.head())
		var err error
		stored, err = s.keep(ctx, m, body)
		return err
	})
	return stored, asFault(err)
}

// restore writes the bytes of a received file again that are not in the bucket any more. Of an uploaded one they are lost.
func (s *Service) restore(ctx context.Context, m channels.MediaRecord) error {
	s.log.Warn("a stored file is not in the store of media files", zap.String("media", m.ID))
	if m.ProviderID == "" {
		return notFound()
	}
	_, err := s.once(ctx, "restore "+m.BlobKey, func(ctx context.Context) (channels.MediaRecord, error) {
		err := s.open(ctx, m.IntegrationID, m.ProviderID, func(ctx context.Context, file channels.ProviderFile) error {
			return s.bucket.Write(ctx, m.BlobKey, newIntake(file.Body, channels.MaxMediaBytes, genuine(file, m.SHA256)))
		})
		return m, asFault(err)
	})
	return err
}

// open calls take with a file of a provider.
func (s *Service) open(
	ctx context.Context, integrationID, id string, take func(ctx context.Context, file channels.ProviderFile) error,
) error {
	return s.providers.Call(ctx, integrationID, func(ctx context.Context, i channels.Integration) error {
		file, err := s.sources[i.Platform].Fetch(ctx, i.Credentials(), id)
		if err != nil {
			return err
		}
		defer func() { _ = file.Body.Close() }()
		if file.SizeBytes > channels.MaxMediaBytes {
			return channels.ErrMediaTooLarge
		}
		return take(ctx, file)
	})
}

func stated(types ...string) string {
	for _, t := range types {
		if t != "" {
			return t
		}
	}
	return ""
}

// errCorrupt says that a file is not the one that its provider described.
var errCorrupt = errors.New("the file does not have the stated hash")

// genuine returns the check of a whole file: against the stated hashes and, where there is none, against the stated size,
// because a connection that is cut off may look like one that ended.
func genuine(file channels.ProviderFile, hashes ...string) func(size int64, sum []byte) error {
	return func(size int64, sum []byte) error {
		known := false
		for _, h := range hashes {
			want, ok := parseHash(h)
			if ok && !bytes.Equal(want, sum) {
				return errCorrupt
			}
			known = known || ok
		}
		if size == 0 || !known && size < file.SizeBytes {
			return &channels.SendError{Class: channels.ClassRetry, Message: "the file broke off"}
		}
		return nil
	}
}

// parseHash reads a SHA-256 in hex or base64: WhatsApp's webhooks have the one, its answers the other. Anything else is no
// hash, and a file is not refused for it.
func parseHash(s string) ([]byte, bool) {
	s = strings.TrimSpace(s)
	decode := base64.StdEncoding.DecodeString
	switch len(s) {
	case hex.EncodedLen(32):
		decode = hex.DecodeString
	case base64.RawStdEncoding.EncodedLen(32):
		decode = base64.RawStdEncoding.DecodeString
	}
	sum, err := decode(strings.NewReplacer("-", "+", "_", "/").Replace(s))
	return sum, err == nil && len(sum) == 32
}

// asFault turns what a fetch ended with into what the caller sees.
func asFault(err error) error {
	switch {
	case errors.Is(err, channels.ErrMediaID):
		return fault.New(fault.Invalid, "INVALID_MEDIA_ID", "media.id: is not an id of a file at this platform")
	case errors.Is(err, channels.ErrMediaGone):
		return fault.New(fault.Precondition, "MEDIA_GONE", "the provider does not have the file, or not any more").WithCause(err)
	case errors.Is(err, channels.ErrMediaTooLarge):
		return fault.Newf(fault.Precondition, "MEDIA_TOO_LARGE", "the file is larger than the provider gives or %d MiB", channels.MaxMediaBytes>>20)
	case errors.Is(err, errCorrupt):
		return fault.New(fault.Precondition, "MEDIA_CORRUPT", "the file is not the one that the provider described: its hash differs")
	}
	return err
}
