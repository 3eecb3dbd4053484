package admin

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
)

const uploadPath = "/api/v1/knowledgeBases/tienda/documents:upload"

// form writes parts in their order; a name with a dot is a file.
func form(t *testing.T, parts ...string) (io.Reader, http.Header) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(parts); i += 2 {
		if strings.Contains(parts[i], ".") {
			file, err := w.CreateFormFile("file", parts[i])
			require.NoError(t, err)
			_, err = io.WriteString(file, parts[i+1])
			require.NoError(t, err)
			continue
		}
		require.NoError(t, w.WriteField(parts[i], parts[i+1]))
	}
	require.NoError(t, w.Close())
	return &body, http.Header{"Content-Type": {w.FormDataContentType()}}
}

func (s *stack) uploaded(t *testing.T, parts ...string) answer {
	t.Helper()
	body, header := form(t, parts...)
	return s.do(t, http.MethodPost, uploadPath, body, header)
}

func TestUploadArrivesInPieces(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.services.say(nil, &ragv1.UploadDocumentResponse{Ingestion: &ragv1.Ingestion{Id: "in-1"}})
	content := strings.Repeat("El envío cuesta cuatro euros. ", 30_000)
	got := s.uploaded(t, "title", "Envíos", "audience", "AUDIENCE_INTERNAL", "trust", "TRUST_DRAFT", "sourceUri", "https://x.example/", "envios.md", content)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `"id":"in-1"`)

	call := s.services.last(t)
	require.Equal(t, ragv1.DocumentService_UploadDocument_FullMethodName, call.method)
	require.Equal(t, []string{"Bearer key-of-the-tests"}, call.metadata.Get("authorization"))
	require.Equal(t, []string{"127.0.0.1"}, call.metadata.Get("x-knobot-remote-address"))
	var first ragv1.UploadDocumentRequest
	call.into(t, 0, &first)
	require.Equal(t, "tienda", first.GetMetadata().GetKnowledgeBase())
	require.Equal(t, "envios.md", first.GetMetadata().GetName(), "the file's own name")
	require.Equal(t, "Envíos", first.GetMetadata().GetTitle())
	require.Equal(t, ragv1.Audience_AUDIENCE_INTERNAL, first.GetMetadata().GetAudience())
	require.Equal(t, ragv1.Trust_TRUST_DRAFT, first.GetMetadata().GetTrust())
	var all strings.Builder
	for n := range call.messages[1:] {
		var piece ragv1.UploadDocumentRequest
		call.into(t, n+1, &piece)
		require.LessOrEqual(t, len(piece.GetContent()), pieceBytes)
		all.Write(piece.GetContent())
	}
	require.Equal(t, content, all.String())
}

func TestUploadThatIsNotWholeIsNotStored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts  []string
		status int
		reason string
	}{
		"no file":       {[]string{"title", "x"}, 400, "FILE_MISSING"},
		"unknown field": {[]string{"titel", "x", "a.md", "x"}, 400, "FORM_FIELD"},
		"no such value": {[]string{"audience", "ALL", "a.md", "x"}, 400, "FORM_FIELD"},
		"long field":    {[]string{"title", strings.Repeat("x", maxFieldBytes+1), "a.md", "x"}, 400, "FORM_FIELD"},
		"many fields":   {append(strings.Split(strings.Repeat("title,x,", maxFields), ",")[:2*maxFields], "a.md", "x"), 400, "FORM_FIELD"},
		"not last":      {[]string{"a.md", "x", "title", "x"}, 400, "FILE_NOT_LAST"},
		"too large":     {[]string{"a.pdf", strings.Repeat("x", 2*pieceBytes)}, 413, "BODY_TOO_LARGE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.handler.largest = 2 * pieceBytes
			got := s.uploaded(t, c.parts...)
			require.Equal(t, c.status, got.status, got.body)
			require.Equal(t, c.reason, got.reason(t))
			require.Empty(t, s.services.all(), "no call ends as if it were whole")
		})
	}
}

func TestUploadThatBreaksOffIsNotStored(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body, header := form(t, "a.md", strings.Repeat("x", 2*pieceBytes))
	got := s.do(t, http.MethodPost, uploadPath, io.LimitReader(body, pieceBytes+pieceBytes/2), header)
	require.Equal(t, http.StatusBadRequest, got.status, got.body)
	require.Equal(t, reasonMalformed, got.reason(t))
	require.Empty(t, s.services.all())
}

func TestSlowUploadOutlivesTheListener(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	server := httptest.NewUnstartedServer(s.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	s.Server = server
	body, header := form(t, "a.md", strings.Repeat("x", 2*pieceBytes))
	passed := time.NewTimer(500 * time.Millisecond)
	slow := io.MultiReader(io.LimitReader(body, pieceBytes), readerFunc(func([]byte) (int, error) { <-passed.C; return 0, io.EOF }), body)
	require.Equal(t, http.StatusOK, s.do(t, http.MethodPost, uploadPath, slow, header).status)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestRefusalOfAnUploadIsTold(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.services.say(fault.New(fault.Unauthenticated, "KEY_REFUSED", "a key is needed"))
	got := s.uploaded(t, "a.md", "x")
	require.Equal(t, http.StatusUnauthorized, got.status, got.body)
	require.Equal(t, "KEY_REFUSED", got.reason(t))
	require.NotEmpty(t, got.header.Get("WWW-Authenticate"))
	require.Equal(t, http.StatusUnsupportedMediaType, s.post(t, uploadPath, "{}").status)
	require.Equal(t, "POST", s.get(t, uploadPath).header.Get("Allow"))
}

func TestUploadsInFlightAreBounded(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	require.True(t, s.handler.inFlight.TryAcquire(maxBytesInFlight-uploadMemory+1))
	require.Equal(t, http.StatusServiceUnavailable, s.uploaded(t, "a.md", "x").status)
	s.handler.inFlight.Release(maxBytesInFlight - uploadMemory + 1)
	for range 2 * maxBytesInFlight / uploadMemory {
		require.Equal(t, http.StatusOK, s.uploaded(t, "a.md", "x").status)
	}
}
