package graph_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

// fetch gets the link of a file and then the file, and returns what the second
// call answered, with the hash that the first stated.
func (b bundle) fetch(t *testing.T, id string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	link := decoded(t, b.call(httptest.NewRequest(http.MethodGet, "/v26.0/"+id, nil)))
	address, err := url.Parse(link["url"].(string))
	require.NoError(t, err)
	return b.call(httptest.NewRequest(http.MethodGet, address.RequestURI(), nil)), link["sha256"].(string)
}

func TestFileFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault  simulator.Fault
		status int
		body   string
		hashOK bool
	}{
		"GoneAtDownload":    {simulator.Fault{Kind: simulator.FaultMediaGone, Method: "download"}, 404, "", true},
		"OtherBytes":        {simulator.Fault{Kind: simulator.FaultMediaCorrupt, Method: "download"}, 200, "\x9e picture", true},
		"AnotherHash":       {simulator.Fault{Kind: simulator.FaultMediaCorrupt}, 200, "a picture", false},
		"LinkDeadAtOnce":    {simulator.Fault{Kind: simulator.FaultMediaExpired}, 404, "", true},
		"LinkDiesMeanwhile": {simulator.Fault{Kind: simulator.FaultMediaExpired, Method: "download"}, 404, "", true},
		"ServerErrorOfFile": {simulator.Fault{Kind: simulator.FaultServerError, Method: "download"}, 500, "", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, b bundle) {
				file := b.shelf.Put([]byte("a picture"), "image/jpeg", "")
				_, err := b.faults.Add(c.fault)
				require.NoError(t, err)
				w, hash := b.fetch(t, file.ID)
				require.Equal(t, c.status, w.Code)
				require.Equal(t, c.hashOK, hash == file.SHA256)
				if c.body != "" {
					require.Equal(t, c.body, w.Body.String())
				}
				w, _ = b.fetch(t, file.ID)
				require.Equal(t, "a picture", w.Body.String(), "the next time all is well")
			})
		})
	}

	t.Run("GoneForGood", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			file := b.shelf.Put([]byte("a picture"), "image/jpeg", "")
			_, err := b.faults.Add(simulator.Fault{Kind: simulator.FaultMediaGone})
			require.NoError(t, err)
			require.Equal(t, 100, code(t, b.call(httptest.NewRequest(http.MethodGet, "/v26.0/"+file.ID, nil))))
		})
	})

	t.Run("ForAnotherNumberThereIsNoFile", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			file := b.shelf.Put([]byte("a picture"), "image/jpeg", "")
			get := func(query string) int {
				return code(t, b.call(httptest.NewRequest(http.MethodGet, "/v26.0/"+file.ID+query, nil)))
			}
			require.Zero(t, get("?phone_number_id="+numberID))
			require.Equal(t, 100, get("?phone_number_id=1"))
		})
	})

	t.Run("TheJournalKeepsNoFiles", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.fetch(t, b.shelf.Put([]byte("a picture"), "image/jpeg", "").ID)
			calls, _ := b.calls.Since(0)
			require.Equal(t, "download", calls[1].Method)
			require.Empty(t, calls[1].Response)
		})
	})
}

func TestUploadsHaveMetasTypesAndSizes(t *testing.T) {
	t.Parallel()
	upload := func(t *testing.T, b bundle, mimeType string, size int) int {
		t.Helper()
		var form bytes.Buffer
		writer := multipart.NewWriter(&form)
		require.NoError(t, writer.WriteField("messaging_product", "whatsapp"))
		part, err := writer.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="file"; filename="x"`}, "Content-Type": {mimeType},
		})
		require.NoError(t, err)
		_, err = part.Write(make([]byte, size))
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		r := httptest.NewRequest(http.MethodPost, "/v26.0/"+numberID+"/media", &form)
		r.Header.Set("Content-Type", writer.FormDataContentType())
		return code(t, b.call(r))
	}
	inBubble(t, func(t *testing.T, b bundle) {
		for mimeType, most := range map[string]int{"image/png": 5 << 20, "image/webp": 500 << 10} {
			require.Zero(t, upload(t, b, mimeType, most), mimeType)
			require.Equal(t, 131053, upload(t, b, mimeType, most+1), mimeType)
		}
		for _, mimeType := range []string{
			"audio/ogg; codecs=opus", "video/mp4", "application/pdf",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		} {
			require.Zero(t, upload(t, b, mimeType, 1), mimeType)
		}
		for _, mimeType := range []string{"image/gif", "application/zip", "text/html", "nonsense"} {
			require.Equal(t, 100, upload(t, b, mimeType, 1), mimeType)
		}
	})
}
