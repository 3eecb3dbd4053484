package whatsapp_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/reference"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

const mediaID = "1013859600285441"

// link is the answer to GET /{media-id}: the file lies on the same server.
func link() fakeapi.Answer {
	return fakeapi.Answer{Handle: func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"messaging_product":"whatsapp","url":"http://%s/attachments/?mid=1&hash=ATx","mime_type":"image/jpeg",
			"sha256":"29ed","file_size":"5","id":"%s"}`, r.Host, mediaID)
	}}
}

func fetch(t *testing.T, id string, answers ...fakeapi.Answer) (channels.ProviderFile, []fakeapi.Call, error) {
	t.Helper()
	server := fakeapi.New(t, answers...)
	file, err := whatsapp.New(whatsapp.Config{BaseURL: server.URL}).Fetch(t.Context(), credentials(), id)
	if err == nil {
		t.Cleanup(func() { _ = file.Body.Close() })
	} else {
		require.NotContains(t, err.Error(), credentials().AccessToken)
	}
	return file, server.Calls(), err
}

func TestFetch(t *testing.T) {
	t.Parallel()

	t.Run("AddressIsAskedForWithTheNumberAndTheFileWithTheToken", func(t *testing.T) {
		t.Parallel()
		file, calls, err := fetch(t, mediaID, link(), fakeapi.Answer{Status: 200, Body: "bytes"})
		require.NoError(t, err)
		content, err := io.ReadAll(file.Body)
		require.NoError(t, err)
		require.Equal(t, "bytes", string(content))
		require.Equal(t, "image/jpeg", file.MIMEType)
		require.Equal(t, "29ed", file.SHA256)
		require.EqualValues(t, 5, file.SizeBytes)
		require.Len(t, calls, 2)
		for _, c := range calls {
			require.Equal(t, http.MethodGet, c.Method)
			require.Equal(t, "Bearer "+credentials().AccessToken, c.Header.Get("Authorization"))
		}
		require.Equal(t, "/v26.0/"+mediaID, calls[0].Path)
		require.Equal(t, credentials().PhoneNumberID, calls[0].Query.Get("phone_number_id"))
		require.Equal(t, "/attachments/", calls[1].Path)
	})

	t.Run("DeadAddressIsAskedForAgainOnce", func(t *testing.T) {
		t.Parallel()
		_, calls, err := fetch(t, mediaID, link(), fakeapi.Answer{Status: 404}, link(), fakeapi.Answer{Status: 200, Body: "bytes"})
		require.NoError(t, err)
		require.Len(t, calls, 4)
		_, calls, err = fetch(t, mediaID, link(), fakeapi.Answer{Status: 404}, link(), fakeapi.Answer{Status: 403})
		require.ErrorIs(t, err, channels.ErrMediaGone)
		require.Len(t, calls, 4)
	})

	t.Run("FileThatIsTooLargeIsNotAskedFor", func(t *testing.T) {
		t.Parallel()
		large := fakeapi.Answer{Status: 200, Body: `{"url":"http://127.0.0.1/x","file_size":26214401}`}
		_, calls, err := fetch(t, mediaID, large)
		require.ErrorIs(t, err, channels.ErrMediaTooLarge)
		require.Len(t, calls, 1)
	})

	t.Run("OnlyDigitsAreAnID", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{"", "12/../34", "1?x=1", "me", "１２", strings.Repeat("1", 65)} {
			_, calls, err := fetch(t, id, link())
			require.ErrorIs(t, err, channels.ErrMediaID, id)
			require.Empty(t, calls)
		}
	})

	t.Run("TokenGoesToNoHostBesideMetasAndTheConfiguredOne", func(t *testing.T) {
		t.Parallel()
		elsewhere := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: "bytes"})
		for _, address := range []string{elsewhere.URL, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), "http://lookaside.fbsbx.com/x"} {
			_, _, err := fetch(t, mediaID, fakeapi.Answer{Status: 200, Body: fmt.Sprintf(`{"url":%q}`, address)})
			requireClass(t, err, channels.ClassRetry)
		}
		require.Empty(t, elsewhere.Calls())
	})

	t.Run("EachRefusalHasItsMeaning", func(t *testing.T) {
		t.Parallel()
		graph := func(code int) fakeapi.Answer {
			return fakeapi.Answer{Status: 400, Body: fmt.Sprintf(`{"error":{"message":"no","code":%d}}`, code)}
		}
		for code, class := range map[int]channels.Class{
			190: channels.ClassStopIntegration, 10: channels.ClassStopIntegration, 4: channels.ClassThrottled, 80007: channels.ClassThrottled,
			1: channels.ClassRetry, 131000: channels.ClassRetry,
		} {
			_, _, err := fetch(t, mediaID, graph(code))
			requireClass(t, err, class)
			_, _, err = fetch(t, mediaID, link(), graph(code))
			requireClass(t, err, class)
		}
		for _, code := range []int{100, 131052} {
			_, _, err := fetch(t, mediaID, graph(code))
			require.ErrorIs(t, err, channels.ErrMediaGone)
		}
		_, _, err := fetch(t, mediaID, fakeapi.Answer{Status: 200, Body: `{}`})
		requireClass(t, err, channels.ClassInDoubt)
		_, _, err = fetch(t, mediaID, link(), fakeapi.Answer{Status: 502, Body: "<html>"})
		requireClass(t, err, channels.ClassInDoubt)
		_, _, err = fetch(t, mediaID, link(), fakeapi.Answer{Status: 429, Header: map[string]string{"Retry-After": "7"}})
		requireClass(t, err, channels.ClassThrottled)
		_, _, err = fetch(t, mediaID, link(), fakeapi.Answer{Status: 204})
		requireClass(t, err, channels.ClassInDoubt)
	})
}

func TestRecordedMediaAddressIsUnderstood(t *testing.T) {
	t.Parallel()
	var answer reference.Response
	reference.Load(t, reference.Glob(t, "whatsapp/responses/media_url.json")[0], &answer)
	here := fakeapi.Answer{Handle: func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Replace(string(answer.Bytes()), "https://lookaside.fbsbx.com", "http://"+r.Host, 1))
	}}
	file, calls, err := fetch(t, mediaID, here, fakeapi.Answer{Status: 200, Body: "bytes"})
	require.NoError(t, err)
	require.Equal(t, "image/jpeg", file.MIMEType)
	require.EqualValues(t, 303833, file.SizeBytes)
	require.Len(t, file.SHA256, 64)
	require.Equal(t, "/whatsapp_business/attachments/", calls[1].Path)
	require.Equal(t, mediaID, calls[1].Query.Get("mid"))
}

func requireClass(t *testing.T, err error, class channels.Class) {
	t.Helper()
	var failure *channels.SendError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, class, failure.Class, "%v", err)
}
