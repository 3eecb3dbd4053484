package rpcapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
)

const mediaID = "1013859600285441"

// give makes the providers answer with a file: located is the answer to the question where it is, file the file itself.
func (p *providers) give(located string, file http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/file/") {
			file(w, r)
			return
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(located, "HOST", r.Host))
	}
}

const (
	graphFile = `{"url":"http://HOST/file/x","mime_type":"image/jpeg","file_size":"4"}`
	botFile   = `{"ok":true,"result":{"file_id":"x","file_size":4,"file_path":"photos/a.jpg"}}`
)

func served(content string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, content) }
}

func (b *bundle) fetch(t *testing.T, integrationID string, m *conversationv1.Media) (*channelsv1.StoredMedia, error) {
	t.Helper()
	r, err := b.channels.FetchMedia(t.Context(), &channelsv1.FetchMediaRequest{IntegrationId: integrationID, Media: m})
	return r.GetMedia(), err
}

// get reads a stored file, and returns the sizes of its pieces too.
func (b *bundle) get(t *testing.T, id string) (*channelsv1.StoredMedia, []byte, []int, error) {
	t.Helper()
	stream, err := b.channels.GetMedia(t.Context(), &channelsv1.GetMediaRequest{Id: id})
	require.NoError(t, err)
	first, err := stream.Recv()
	if err != nil {
		return nil, nil, nil, err
	}
	var content []byte
	var sizes []int
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return first.GetMedia(), content, sizes, nil
		}
		require.NoError(t, err)
		require.Nil(t, piece.GetMedia())
		content = append(content, piece.GetChunk()...)
		sizes = append(sizes, len(piece.GetChunk()))
	}
}

func uploadHeader(integrationID, mimeType string) *channelsv1.UploadMediaRequest {
	return &channelsv1.UploadMediaRequest{Piece: &channelsv1.UploadMediaRequest_Header{
		Header: &channelsv1.UploadMediaHeader{IntegrationId: integrationID, MimeType: mimeType, Filename: "lista.pdf"},
	}}
}

func chunk(content []byte) *channelsv1.UploadMediaRequest {
	return &channelsv1.UploadMediaRequest{Piece: &channelsv1.UploadMediaRequest_Chunk{Chunk: content}}
}

func (b *bundle) upload(t *testing.T, pieces ...*channelsv1.UploadMediaRequest) (*channelsv1.StoredMedia, error) {
	t.Helper()
	stream, err := b.channels.UploadMedia(t.Context())
	require.NoError(t, err)
	for _, p := range pieces {
		if stream.Send(p) != nil {
			break // CloseAndRecv says why
		}
	}
	r, err := stream.CloseAndRecv()
	return r.GetMedia(), err
}

func TestFetchMedia(t *testing.T) {
	t.Parallel()

	t.Run("ReceivedFileIsStoredAndStreamedBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.providers.give(graphFile, served("\xff\xd8\xff\xe0"))
		stored, err := b.fetch(t, b.WhatsApp(t).ID, &conversationv1.Media{Id: mediaID, Filename: "foto.jpg"})
		require.NoError(t, err)
		require.Equal(t, "image/jpeg", stored.GetMimeType())
		require.Equal(t, "foto.jpg", stored.GetFilename())
		require.NotNil(t, stored.GetCreateTime())
		require.NotEqual(t, mediaID, stored.GetId())
		described, content, _, err := b.get(t, stored.GetId())
		require.NoError(t, err)
		require.Equal(t, stored.String(), described.String())
		require.Equal(t, "\xff\xd8\xff\xe0", string(content))
		asked := len(b.providers.asked())
		again, err := b.fetch(t, stored.GetIntegrationId(), &conversationv1.Media{Id: mediaID})
		require.NoError(t, err)
		require.Equal(t, stored.String(), again.String())
		require.Len(t, b.providers.asked(), asked)
	})

	t.Run("EachRefusalHasItsReasonOnTheWire", func(t *testing.T) {
		t.Parallel()
		status := func(code int) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
		}
		for _, c := range []struct {
			located string
			file    http.HandlerFunc
			media   *conversationv1.Media
			kind    fault.Kind
			reason  string
		}{
			{graphFile, status(404), nil, fault.Precondition, "MEDIA_GONE"},
			{`{"error":{"message":"no such object","code":100}}`, nil, nil, fault.Precondition, "MEDIA_GONE"},
			{`{"url":"http://HOST/file/x","file_size":"99999999"}`, nil, nil, fault.Precondition, "MEDIA_TOO_LARGE"},
			{graphFile, served("1234"), &conversationv1.Media{Id: mediaID, Sha256: strings.Repeat("00", 32)}, fault.Precondition, "MEDIA_CORRUPT"},
			{graphFile, status(503), nil, fault.Unavailable, "PROVIDER_UNAVAILABLE"},
			{`{"url":"https://169.254.169.254/latest/meta-data"}`, nil, nil, fault.Unavailable, "PROVIDER_UNAVAILABLE"},
			{`{"error":{"message":"calls","code":4}}`, nil, nil, fault.Throttled, "THROTTLED"},
			{`{"error":{"message":"token","code":190}}`, nil, nil, fault.Precondition, "INTEGRATION_STOPPED"},
			{"", nil, &conversationv1.Media{Id: "../me"}, fault.Invalid, "INVALID_MEDIA_ID"},
			{"", nil, &conversationv1.Media{Id: "a b"}, fault.Invalid, "INVALID_REQUEST"},
			{"", nil, &conversationv1.Media{}, fault.Invalid, "INVALID_REQUEST"},
		} {
			b := setup(t)
			b.providers.give(c.located, c.file)
			if c.media == nil {
				c.media = &conversationv1.Media{Id: mediaID}
			}
			_, err := b.fetch(t, b.WhatsApp(t).ID, c.media)
			requireFault(t, err, c.kind, c.reason)
			if c.kind == fault.Throttled {
				after, ok := fault.RetryAfterOf(err)
				require.True(t, ok)
				require.Positive(t, after)
			}
		}
	})

	t.Run("NoTokenIsInAnError", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.providers.give(botFile, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.org"+r.URL.Path, http.StatusFound)
		})
		_, err := b.fetch(t, b.Telegram(t).ID, &conversationv1.Media{Id: "BQACx"})
		requireFault(t, err, fault.Unavailable, "PROVIDER_UNAVAILABLE")
		require.NotContains(t, err.Error(), channelstest.BotToken)
		require.NotContains(t, err.Error(), "canary")
		require.NotContains(t, fmt.Sprint(b.Logs.All()), "canary")
	})

	t.Run("IntegrationMustBeThereAndSpeak", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.fetch(t, "nonsense", &conversationv1.Media{Id: mediaID})
		requireFault(t, err, fault.Invalid, "INVALID_REQUEST")
		_, err = b.fetch(t, uuid.NewString(), &conversationv1.Media{Id: mediaID})
		requireFault(t, err, fault.NotFound, "INTEGRATION_NOT_FOUND")
		i := b.WhatsApp(t)
		require.NoError(t, b.Bundle.Integrations.Delete(t.Context(), i.ID))
		_, err = b.fetch(t, i.ID, &conversationv1.Media{Id: mediaID})
		requireFault(t, err, fault.Precondition, "INTEGRATION_DISABLED")
	})
}

func TestUploadMedia(t *testing.T) {
	t.Parallel()

	t.Run("FileComesBackInPiecesOf64KiB", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		content := append([]byte("%PDF-1.7"), bytes.Repeat([]byte("0123456789"), 300_000)...)
		pieces := []*channelsv1.UploadMediaRequest{uploadHeader(b.WhatsApp(t).ID, "application/pdf")}
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 1<<20)
			pieces = append(pieces, chunk(rest[:n]), chunk(nil))
			rest = rest[n:]
		}
		stored, err := b.upload(t, pieces...)
		require.NoError(t, err)
		require.EqualValues(t, len(content), stored.GetSizeBytes())
		require.Equal(t, "lista.pdf", stored.GetFilename())
		described, got, sizes, err := b.get(t, stored.GetId())
		require.NoError(t, err)
		require.Equal(t, stored.String(), described.String())
		require.True(t, bytes.Equal(content, got))
		for _, n := range sizes {
			require.LessOrEqual(t, n, 64<<10)
		}
	})

	t.Run("EachRefusalHasItsReasonOnTheWire", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		number, bot := b.WhatsApp(t).ID, b.Telegram(t).ID
		large := []*channelsv1.UploadMediaRequest{uploadHeader(bot, "application/zip")}
		for range channels.MaxMediaBytes>>20 + 1 {
			large = append(large, chunk(make([]byte, 1<<20)))
		}
		for _, c := range []struct {
			pieces []*channelsv1.UploadMediaRequest
			kind   fault.Kind
			reason string
		}{
			{nil, fault.Invalid, "INVALID_REQUEST"},
			{[]*channelsv1.UploadMediaRequest{chunk([]byte("x"))}, fault.Invalid, "INVALID_REQUEST"},
			{[]*channelsv1.UploadMediaRequest{uploadHeader("nonsense", "image/jpeg")}, fault.Invalid, "INVALID_REQUEST"},
			{[]*channelsv1.UploadMediaRequest{uploadHeader(number, "")}, fault.Invalid, "INVALID_REQUEST"},
			{[]*channelsv1.UploadMediaRequest{uploadHeader(bot, "text/plain"), uploadHeader(bot, "text/plain")}, fault.Invalid, "INVALID_REQUEST"},
			{[]*channelsv1.UploadMediaRequest{uploadHeader(bot, "text/plain"), chunk(make([]byte, 1<<20+1))}, fault.Invalid, "INVALID_REQUEST"},
			{[]*channelsv1.UploadMediaRequest{uploadHeader(bot, "text/plain")}, fault.Invalid, "INVALID_REQUEST"},
			{[]*channelsv1.UploadMediaRequest{uploadHeader(uuid.NewString(), "text/plain"), chunk([]byte("x"))}, fault.NotFound, "INTEGRATION_NOT_FOUND"},
			{[]*channelsv1.UploadMediaRequest{uploadHeader(number, "application/zip"), chunk([]byte("PK"))}, fault.Invalid, "UNSUPPORTED_MEDIA_TYPE"},
			{large, fault.Invalid, "MEDIA_TOO_LARGE"},
		} {
			_, err := b.upload(t, c.pieces...)
			requireFault(t, err, c.kind, c.reason)
		}
	})
}

func TestGetMediaThatIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, id := range []string{"", "nonsense", uuid.NewString()} {
		_, _, _, err := b.get(t, id)
		requireFault(t, err, fault.NotFound, "MEDIA_NOT_FOUND")
	}
}
