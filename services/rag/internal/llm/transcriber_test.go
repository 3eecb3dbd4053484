package llm_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/llm"
)

// heard is what reaches a transcription server.
type heard struct {
	path, key, id, model, language string
	filename, contentType, audio   string
	fields                         int
}

func listen(t *testing.T, answer func(call int32, w http.ResponseWriter)) (*llm.Transcriber, chan heard) {
	t.Helper()
	calls, got := &atomic.Int32{}, make(chan heard, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		audio, _ := io.ReadAll(file)
		got <- heard{
			path: r.Method + " " + r.URL.Path, key: r.Header.Get("Authorization"), id: r.Header.Get("X-Client-Request-Id"),
			model: r.FormValue("model"), language: r.FormValue("language"), filename: header.Filename,
			contentType: header.Header.Get("Content-Type"), audio: string(audio), fields: len(r.MultipartForm.Value),
		}
		w.Header().Set("Content-Type", "application/json")
		answer(calls.Add(1), w)
	}))
	t.Cleanup(server.Close)
	return llm.NewTranscriber(llm.TranscriberConfig{BaseURL: server.URL + "/v1", APIKey: "sk-secret", Model: "whisper-1"}), got
}

func says(body string) func(int32, http.ResponseWriter) {
	return func(_ int32, w http.ResponseWriter) { _, _ = io.WriteString(w, body) }
}

func TestTranscribeSpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	transcriber, got := listen(t, says(`{"text":" ¿Abren hoy? ","usage":{"type":"tokens"}}`))
	text, err := transcriber.Transcribe(t.Context(), llm.Recording{
		RequestID: "id-1", MIMEType: "audio/ogg; codecs=opus", Filename: "../nota\"\r\nsecreta.exe", Language: "es-CO", Audio: []byte("OggS"),
	})
	require.NoError(t, err)
	require.Equal(t, "¿Abren hoy?", text)
	require.Equal(t, heard{
		path: "POST /v1/audio/transcriptions", key: "Bearer sk-secret", id: "id-1", model: "whisper-1", language: "es",
		filename: "audio.ogg", contentType: "audio/ogg", audio: "OggS", fields: 2,
	}, <-got)
}

func TestFileNameTellsTheFormat(t *testing.T) {
	t.Parallel()
	transcriber, got := listen(t, says(`{"text":"hola"}`))
	for _, c := range []struct{ mimeType, filename, want string }{
		{"audio/ogg", "", "audio.ogg"},
		{"audio/mpeg", "tema.ogg", "audio.mp3"},
		{"audio/mp4", "", "audio.m4a"},
		{"AUDIO/AAC", "", "audio.aac"},
		{"audio/amr", "", "audio.amr"},
		{"audio/x-wav", "", "audio.wav"},
		{"audio/flac", "", "audio.flac"},
		{"audio/webm;codecs=opus", "", "audio.webm"},
		{"application/octet-stream", "Nota.MP3", "audio.mp3"},
		{"", "nota.sh", "audio.ogg"},
		{"no type;;", "", "audio.ogg"},
	} {
		_, err := transcriber.Transcribe(t.Context(), llm.Recording{MIMEType: c.mimeType, Filename: c.filename, Audio: []byte("x")})
		require.NoError(t, err)
		seen := <-got
		require.Equal(t, c.want, seen.filename, "%s %s", c.mimeType, c.filename)
		require.Equal(t, 1, seen.fields, "no language is sent where none is expected")
	}
}

func TestSilenceIsAnEmptyTranscript(t *testing.T) {
	t.Parallel()
	transcriber, _ := listen(t, says(`{"text":"  \n"}`))
	text, err := transcriber.Transcribe(t.Context(), llm.Recording{Audio: []byte("x")})
	require.NoError(t, err)
	require.Empty(t, text)
}

func TestTranscriptionThatMayPassIsTriedAgainWithTheWholeRecording(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"throttled": 429, "broken": 500, "overloaded": 503} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transcriber, got := listen(t, func(call int32, w http.ResponseWriter) {
				if call == 1 {
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(status)
					return
				}
				_, _ = io.WriteString(w, `{"text":"hola"}`)
			})
			text, err := transcriber.Transcribe(t.Context(), llm.Recording{Audio: []byte("OggS and more")})
			require.NoError(t, err)
			require.Equal(t, "hola", text)
			require.Equal(t, "OggS and more", (<-got).audio)
			require.Equal(t, "OggS and more", (<-got).audio)
		})
	}
}

func TestFailedTranscriptionShowsNoSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		body    string
		refused bool
	}{
		"bad audio":   {400, `{"error":{"message":"sk-secret hola"}}`, true},
		"too large":   {413, `sk-secret`, true},
		"wrong type":  {415, `sk-secret`, true},
		"undecodable": {422, `sk-secret`, true},
		"wrong key":   {401, `{"error":{"message":"Incorrect API key provided: sk-secret"}}`, false},
		"no model":    {404, `{"error":{"message":"sk-secret"}}`, false},
		"nonsense":    {200, `<html>sk-secret</html>`, false},
		"no text":     {200, `{"error":"sk-secret"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transcriber, got := listen(t, func(_ int32, w http.ResponseWriter) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := transcriber.Transcribe(t.Context(), llm.Recording{Audio: []byte("x")})
			require.Error(t, err)
			require.Equal(t, c.refused, isRefused(err), err)
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), "127.0.0.1")
			<-got
			require.Empty(t, got, "what cannot pass is not tried again")
		})
	}
}

func TestTranscriptionEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	transcriber, got := listen(t, func(int32, http.ResponseWriter) { <-released })
	t.Cleanup(func() { close(released) }) // before the server is closed, which waits for its handlers
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-got
		cancel()
	}()
	_, err := transcriber.Transcribe(ctx, llm.Recording{Audio: []byte("x")})
	require.ErrorIs(t, err, context.Canceled)
}
