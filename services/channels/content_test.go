package channels_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

func TestStoredFileIsShownAsItsTypeSays(t *testing.T) {
	t.Parallel()

	for mimeType, want := range map[string]channels.MediaKind{
		"image/jpeg": channels.MediaImage, "image/png": channels.MediaImage, "IMAGE/PNG": channels.MediaImage,
		"image/webp": channels.MediaDocument, "image/gif": channels.MediaDocument, "image/svg+xml": channels.MediaDocument,
		"video/mp4": channels.MediaVideo, "video/3gpp": channels.MediaVideo, "video/webm": channels.MediaDocument,
		"audio/mpeg": channels.MediaAudio, "audio/mp4": channels.MediaAudio, "audio/wav": channels.MediaDocument,
		"audio/ogg; codecs=opus": channels.MediaVoice, "audio/ogg": channels.MediaVoice,
		"application/pdf": channels.MediaDocument, "text/plain; charset=utf-8": channels.MediaDocument, "": channels.MediaDocument, ";;": channels.MediaDocument,
	} {
		kind := channels.KindOf(mimeType)
		require.Equal(t, want, kind, mimeType)
		require.True(t, kind.Shows(mimeType), mimeType)
	}
}

func TestKindShowsItsFamily(t *testing.T) {
	t.Parallel()

	for kind, types := range map[channels.MediaKind]struct{ yes, no []string }{
		channels.MediaImage:    {[]string{"image/webp"}, []string{"video/mp4", "application/pdf", ""}},
		channels.MediaVideo:    {[]string{"video/webm"}, []string{"image/gif", "audio/mp4"}},
		channels.MediaAudio:    {[]string{"audio/ogg; codecs=opus"}, []string{"video/ogg"}},
		channels.MediaVoice:    {[]string{"audio/ogg"}, []string{"application/ogg"}},
		channels.MediaSticker:  {[]string{"image/webp", "video/webm", "application/x-tgsticker"}, []string{"image/png"}},
		channels.MediaDocument: {[]string{"image/png", "anything", ""}, nil},
		"hologram":             {nil, []string{"image/png"}},
	} {
		for _, mimeType := range types.yes {
			require.True(t, kind.Shows(mimeType), "%s %s", kind, mimeType)
		}
		for _, mimeType := range types.no {
			require.False(t, kind.Shows(mimeType), "%s %s", kind, mimeType)
		}
	}
}

func TestNoMediaHasNoFile(t *testing.T) {
	t.Parallel()

	_, _, err := channels.NoMedia{}.Open(t.Context(), "f")
	require.ErrorIs(t, err, channels.ErrMediaNotFound)
}
