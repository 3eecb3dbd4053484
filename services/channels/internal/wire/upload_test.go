package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// photo is an upload of a file, whose size is given where it is not as stated.
func photo(base string, content io.Reader, size int64) wire.Upload {
	return wire.Upload{
		URL: base + "/bot" + secret + "/sendPhoto", Header: http.Header{"Authorization": {"Bearer " + secret}},
		Fields: map[string]string{"chat_id": "7", "caption": "¿Así?"}, Secrets: []string{secret},
		File: wire.File{Field: "photo", Name: "foto.jpg", MIMEType: "image/jpeg", Size: size, Content: content},
	}
}

func upload(ctx context.Context, t *testing.T, u wire.Upload) *channels.SendError {
	t.Helper()
	_, err := wire.NewCaller(nil).Upload(ctx, u)
	var failure *channels.SendError
	require.ErrorAs(t, err, &failure)
	for e := err; e != nil; e = errors.Unwrap(e) {
		require.NotContains(t, e.Error(), "CANARY")
	}
	return failure
}

func TestUploadIsAFormWithItsFile(t *testing.T) {
	t.Parallel()

	server := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: `{"id":"1"}`})
	response, err := wire.NewCaller(nil).Upload(t.Context(), photo(server.URL, strings.NewReader("jpeg"), 4))
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"1"}`, string(response.Body))
	call := server.Only(t)
	require.Equal(t, map[string]any{"chat_id": float64(7), "caption": "¿Así?"}, call.Body)
	require.Equal(t, map[string]fakeapi.File{"photo": {Name: "foto.jpg", MIMEType: "image/jpeg", Content: "jpeg"}}, call.Files)
	require.Equal(t, "Bearer "+secret, call.Header.Get("Authorization"))
	require.NotEmpty(t, call.Header.Get("Content-Length"), "providers need not take a body of unknown length")
}

func TestNamesOfCustomersCannotBreakTheForm(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]fakeapi.File{
		"a\"\r\nX: y/../b\x00.pdf": {Name: "a\"__X: y_.._b_.pdf", MIMEType: "application/octet-stream", Content: "x"},
		"":                         {Name: "file", MIMEType: "application/octet-stream", Content: "x"},
		"informe ñ.pdf":            {Name: "informe ñ.pdf", MIMEType: "application/octet-stream", Content: "x"},
	} {
		server := fakeapi.New(t, fakeapi.Answer{Status: 200})
		u := photo(server.URL, strings.NewReader("x"), 1)
		u.File.Name, u.File.MIMEType = name, "image/jpeg\r\nX: y"
		_, err := wire.NewCaller(nil).Upload(t.Context(), u)
		require.NoError(t, err)
		require.Equal(t, want, server.Only(t).Files["photo"], "%q", name)
	}
}

func TestWhatDidNotArriveAsAWholeIsRetried(t *testing.T) {
	t.Parallel()

	base := fakeapi.New(t, fakeapi.Answer{Status: 200}).URL
	broken := io.MultiReader(strings.NewReader("jp"), iotest.ErrReader(errors.New("disk")))
	require.Equal(t, channels.ClassRetry, upload(t.Context(), t, photo(base, broken, 4)).Class, "the file broke off")
	require.Equal(t, channels.ClassRetry, upload(t.Context(), t, photo(base, strings.NewReader("jp"), 4)).Class, "it is shorter than stated")
	require.Equal(t, channels.ClassRetry, upload(t.Context(), t, photo("http://127.0.0.1:1", strings.NewReader("jpeg"), 4)).Class)
	require.Equal(t, channels.ClassRetry, upload(t.Context(), t, photo("::", strings.NewReader("jpeg"), 4)).Class)
}

func TestWhatArrivedWithoutAnAnswerIsInDoubt(t *testing.T) {
	t.Parallel()

	require.Equal(t, channels.ClassInDoubt, upload(t.Context(), t, photo(fakeapi.New(t, fakeapi.Cut()).URL, strings.NewReader("jpeg"), 4)).Class)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Equal(t, channels.ClassInDoubt, upload(ctx, t, photo(fakeapi.New(t, fakeapi.Hang()).URL, strings.NewReader("jpeg"), 4)).Class)
}

func TestLongerThanStatedIsCutOff(t *testing.T) {
	t.Parallel()

	server := fakeapi.New(t, fakeapi.Answer{Status: 200})
	_, err := wire.NewCaller(nil).Upload(t.Context(), photo(server.URL, strings.NewReader("jpeg and more"), 4))
	require.NoError(t, err)
	require.Equal(t, "jpeg", server.Only(t).Files["photo"].Content)
}
