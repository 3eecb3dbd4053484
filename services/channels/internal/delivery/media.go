package delivery

import (
	"context"
	"errors"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// resolve returns a file with what its stored bytes decide: how it is shown. Its error says why the file cannot be sent by
// this integration; the file is returned all the same, because a repeat of what went out long ago needs none.
func (s *Service) resolve(ctx context.Context, integrationID string, m *channels.Media) (*channels.Media, error) {
	if m == nil || m.ID == "" {
		return m, nil
	}
	out := *m
	stored, content, err := s.media.Open(ctx, m.ID)
	if err != nil {
		if out.Kind == "" {
			out.Kind = channels.MediaDocument
		}
		return &out, mediaFault(err)
	}
	_ = content.Close() // Only what it is counts here; its bytes are read when they are sent.
	if out.Kind == "" {
		out.Kind = channels.KindOf(stored.MIMEType)
	}
	switch {
	case stored.IntegrationID != integrationID:
		err = fault.New(fault.Invalid, "MEDIA_OF_ANOTHER_INTEGRATION", "the stored file belongs to another integration")
	case !out.Kind.Shows(stored.MIMEType):
		err = fault.Newf(fault.Invalid, "MEDIA_KIND_MISMATCH", "a file of type %s cannot be shown as %s", stored.MIMEType, out.Kind)
	}
	return &out, err
}

// resolveTemplate does so for all files of a template. It leaves the one that it is given as it was asked.
func (s *Service) resolveTemplate(ctx context.Context, integrationID string, t channels.Template) (*channels.Template, error) {
	var missing error
	components := make([]channels.TemplateComponent, len(t.Components))
	for n, c := range t.Components {
		parameters := make([]channels.TemplateParameter, len(c.Parameters))
		for k, p := range c.Parameters {
			media, err := s.resolve(ctx, integrationID, p.Media)
			if err == nil && media != nil && (media.Kind == channels.MediaAudio || media.Kind == channels.MediaVoice) {
				err = fault.New(fault.Invalid, "MEDIA_KIND_MISMATCH", "a template shows an image, a video or a document")
			}
			if missing == nil {
				missing = err
			}
			p.Media = media
			parameters[k] = p
		}
		c.Parameters = parameters
		components[n] = c
	}
	if len(components) > 0 {
		t.Components = components
	}
	return &t, missing
}

func mediaFault(err error) error {
	if errors.Is(err, channels.ErrMediaNotFound) {
		return fault.New(fault.NotFound, "MEDIA_NOT_FOUND", "no such stored file")
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.New(fault.Unavailable, "MEDIA_UNAVAILABLE", "the stored file cannot be read now").WithCause(err)
}
