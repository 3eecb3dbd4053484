package telegram_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/reference"
	"github.com/knobot/knobot/services/channels/internal/telegram"
)

var _ channels.MediaSource = (*telegram.Client)(nil)

const fileID = "BQACAgEAAxkBdoc"

func located(path string) fakeapi.Answer {
	return ok(`{"file_id":"` + fileID + `","file_unique_id":"AgADdoc","file_size":5,"file_path":"` + path + `"}`)
}

func fetch(t *testing.T, id string, answers ...fakeapi.Answer) (channels.ProviderFile, []fakeapi.Call, error) {
	t.Helper()
	server := fakeapi.New(t, answers...)
	file, err := telegram.New(telegram.Config{BaseURL: server.URL}).Fetch(t.Context(), credentials(), id)
	if err == nil {
		t.Cleanup(func() { _ = file.Body.Close() })
	} else {
		require.NotContains(t, err.Error(), "CANARY")
	}
	return file, server.Calls(), err
}

func TestFetch(t *testing.T) {
	t.Parallel()

	t.Run("PathIsAskedForAndThenTheFile", func(t *testing.T) {
		t.Parallel()
		file, calls, err := fetch(t, fileID, located("documents/file 0.pdf"), fakeapi.Answer{Status: 200, Body: "bytes"})
		require.NoError(t, err)
		content, err := io.ReadAll(file.Body)
		require.NoError(t, err)
		require.Equal(t, "bytes", string(content))
		require.EqualValues(t, 5, file.SizeBytes)
		require.Equal(t, "/bot"+credentials().BotToken+"/getFile", calls[0].Path)
		require.Equal(t, map[string]any{"file_id": fileID}, calls[0].Body)
		require.Equal(t, "/file/bot"+credentials().BotToken+"/documents/file 0.pdf", calls[1].Path)
	})

	t.Run("DeadPathIsAskedForAgainOnceAndStopsNoBot", func(t *testing.T) {
		t.Parallel()
		gone := refused(404, "Not Found")
		_, calls, err := fetch(t, fileID, located("a/b"), gone, located("a/c"), fakeapi.Answer{Status: 200, Body: "bytes"})
		require.NoError(t, err)
		require.Len(t, calls, 4)
		_, calls, err = fetch(t, fileID, located("a/b"), gone, located("a/c"), gone)
		require.ErrorIs(t, err, channels.ErrMediaGone)
		require.Len(t, calls, 4)
	})

	t.Run("PathThatLeadsOutOfTheBotsFolderIsNotAsked", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"", "/var/lib/file", "../bot1:x/getMe", "a/../../b", "a//b", "a/./b", `a\\b`, strings.Repeat("a/", 600) + "a"} {
			_, calls, err := fetch(t, fileID, located(path))
			requireClass(t, err, channels.ClassRetry)
			require.Len(t, calls, 1)
		}
		_, calls, err := fetch(t, fileID, located("a?b#c%2e"), fakeapi.Answer{Status: 200, Body: "bytes"})
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(calls[1].Path, "/a?b#c%2e"), "escaped, so that it stays a path")
	})

	t.Run("RedirectIsNotFollowed", func(t *testing.T) {
		t.Parallel()
		elsewhere := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: "bytes"})
		for _, to := range []string{elsewhere.URL, "/here"} {
			_, calls, err := fetch(t, fileID, located("a/b"), fakeapi.Answer{Status: http.StatusFound, Header: map[string]string{"Location": to}})
			requireClass(t, err, channels.ClassRetry)
			require.Len(t, calls, 2)
		}
		require.Empty(t, elsewhere.Calls())
	})

	t.Run("EachRefusalHasItsMeaning", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			answer fakeapi.Answer
			want   error
		}{
			{refused(400, "Bad Request: file is too big"), channels.ErrMediaTooLarge},
			{refused(400, "Bad Request: invalid file_id"), channels.ErrMediaGone},
			{ok(`{"file_size":26214401,"file_path":"a/b"}`), channels.ErrMediaTooLarge},
		} {
			_, _, err := fetch(t, fileID, c.answer)
			require.ErrorIs(t, err, c.want)
		}
		for _, c := range []struct {
			answers []fakeapi.Answer
			class   channels.Class
		}{
			{[]fakeapi.Answer{refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")}, channels.ClassRetry},
			{[]fakeapi.Answer{refused(401, "Unauthorized")}, channels.ClassStopIntegration},
			{[]fakeapi.Answer{refused(429, "Too Many Requests: retry after 5")}, channels.ClassThrottled},
			{[]fakeapi.Answer{ok(`[]`)}, channels.ClassInDoubt},
			{[]fakeapi.Answer{located("a/b"), refused(401, "Unauthorized")}, channels.ClassStopIntegration},
			{[]fakeapi.Answer{located("a/b"), refused(429, "Too Many Requests: retry after 5")}, channels.ClassThrottled},
			{[]fakeapi.Answer{located("a/b"), {Status: 502, Body: "<html>"}}, channels.ClassInDoubt},
		} {
			_, _, err := fetch(t, fileID, c.answers...)
			requireClass(t, err, c.class)
		}
		for _, id := range []string{"", "a/b", "a b", "ñ", strings.Repeat("a", 513)} {
			_, calls, err := fetch(t, id, located("a/b"))
			require.ErrorIs(t, err, channels.ErrMediaID, id)
			require.Empty(t, calls)
		}
	})
}

func TestRecordedAnswersToGetFileAreUnderstood(t *testing.T) {
	t.Parallel()
	recorded := func(name string) fakeapi.Answer {
		var answer reference.Response
		reference.Load(t, reference.Glob(t, "telegram/responses/"+name)[0], &answer)
		return fakeapi.Answer{Status: answer.Status, Header: answer.Headers, Body: string(answer.Bytes())}
	}
	file, calls, err := fetch(t, fileID, recorded("get_file.json"), fakeapi.Answer{Status: 200, Body: "bytes"})
	require.NoError(t, err)
	require.EqualValues(t, 536392, file.SizeBytes)
	require.Equal(t, "/file/bot"+credentials().BotToken+"/documents/file_0.pdf", calls[1].Path)
	_, _, err = fetch(t, fileID, recorded("err_400_file_too_big.json"))
	require.ErrorIs(t, err, channels.ErrMediaTooLarge)
	_, _, err = fetch(t, fileID, recorded("err_401.json"))
	requireClass(t, err, channels.ClassStopIntegration)
	_, _, err = fetch(t, fileID, recorded("err_502_html.json"))
	requireClass(t, err, channels.ClassInDoubt)
}

func requireClass(t *testing.T, err error, class channels.Class) {
	t.Helper()
	var failure *channels.SendError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, class, failure.Class, "%v", err)
}
