package media

import (
	"context"
	"errors"
	"io"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// Upload is a file to keep for sending.
type Upload struct {
	IntegrationID string
	MIMEType      string
	Filename      string
	Body          io.Reader
}

// Upload stores a file that an integration will send. It takes what the integration's platform takes. An error of the body is
// returned as it is.
func (s *Service) Upload(ctx context.Context, u Upload) (channels.MediaRecord, error) {
	i, err := s.integrations.Get(ctx, u.IntegrationID)
	if err != nil {
		return channels.MediaRecord{}, err
	}
	limit, ok := channels.UploadLimit(i.Platform, u.MIMEType)
	if !ok {
		return channels.MediaRecord{}, unsupported("the platform does not take files of this MIME type")
	}
	if err := s.slots.Acquire(ctx, 1); err != nil {
		return channels.MediaRecord{}, err
	}
	defer s.slots.Release(1)
	body := newIntake(u.Body, limit, notEmpty)
	m := newRecord(i.ID, u.Filename)
	if m.MIMEType, ok = channels.UploadType(u.MIMEType, body.head()); !ok {
		return channels.MediaRecord{}, unsupported("the file is not what its MIME type says")
	}
	m, err = s.keep(ctx, m, body)
	if errors.Is(err, channels.ErrMediaTooLarge) {
		err = fault.Newf(fault.Invalid, "MEDIA_TOO_LARGE", "the platform takes at most %d KiB of this MIME type", limit>>10)
	}
	return m, err
}

func unsupported(why string) error { return fault.New(fault.Invalid, "UNSUPPORTED_MEDIA_TYPE", why) }

func notEmpty(size int64, _ []byte) error {
	if size == 0 {
		return fault.New(fault.Invalid, "INVALID_REQUEST", "the file is empty")
	}
	return nil
}
