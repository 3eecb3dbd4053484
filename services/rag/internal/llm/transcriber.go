package llm

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"path"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
)

const (
	// hearingTimeout bounds one transcription, totalHearing all of its calls with the waits between: a voice note may last
	// many minutes.
	hearingTimeout = 60 * time.Second
	totalHearing   = 100 * time.Second
)

// TranscriberConfig says which model writes recordings down, and where.
type TranscriberConfig struct {
	// BaseURL of the API, empty for OpenAI's own.
	BaseURL string
	// APIKey is empty for servers that ask for none.
	APIKey string
	// Model is the model's name.
	Model string
}

// Transcriber is a model behind OpenAI's audio/transcriptions, which whisper.cpp, faster-whisper, vLLM and Groq serve too.
// It is safe for concurrent use.
type Transcriber struct {
	model string
	audio openai.AudioTranscriptionService
}

// NewTranscriber returns a transcriber.
func NewTranscriber(cfg TranscriberConfig) *Transcriber {
	return &Transcriber{
		model: cfg.Model, audio: openai.NewAudioTranscriptionService(options(cfg.BaseURL, cfg.APIKey, hearingTimeout)...),
	}
}

// Recording is a voice note.
type Recording struct {
	// RequestID names the request in the provider's logs.
	RequestID string
	// MIMEType and Filename are as stated by whoever sent it.
	MIMEType, Filename string
	// Language is the IETF tag of the language that is expected, empty for none.
	Language string
	Audio    []byte
}

// Transcribe returns what is said, "" for silence. It tries again by itself what may pass; its errors hold no address, key or
// text. ErrRefused is an answer that depends on the recording.
func (t *Transcriber) Transcribe(ctx context.Context, r Recording) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, totalHearing)
	defer cancel()
	params := openai.AudioTranscriptionNewParams{
		Model: t.model, File: openai.File(bytes.NewReader(r.Audio), "audio"+r.extension(), r.contentType()),
	}
	if code := iso639(r.Language); code != "" {
		params.Language = openai.String(code)
	}
	response, err := t.audio.New(ctx, params, named(r.RequestID)...)
	if err != nil {
		return "", describe(err)
	}
	if !response.JSON.Text.Valid() {
		return "", errors.New("llm: the provider's answer cannot be read")
	}
	return strings.TrimSpace(response.Text), nil
}

// contentType is the type without its parameters: "audio/ogg" for "audio/ogg; codecs=opus".
func (r Recording) contentType() string {
	base, _, err := mime.ParseMediaType(r.MIMEType)
	if err != nil {
		return "application/octet-stream"
	}
	return base
}

// extension is what servers tell the format by (OpenAI's reference, Create transcription, 2026-08-21: an extension-bearing
// filename). Voice notes of both platforms are Opus in Ogg, so that is what an unknown type is taken for.
func (r Recording) extension() string {
	switch r.contentType() {
	case "audio/ogg", "audio/opus", "application/ogg", "video/ogg":
		return ".ogg"
	case "audio/mpeg", "audio/mp3", "audio/x-mp3":
		return ".mp3"
	case "audio/mp4", "audio/m4a", "audio/x-m4a", "video/mp4":
		return ".m4a"
	case "audio/aac", "audio/x-aac", "audio/aacp":
		return ".aac"
	case "audio/amr":
		return ".amr"
	case "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave":
		return ".wav"
	case "audio/flac", "audio/x-flac":
		return ".flac"
	case "audio/webm", "video/webm":
		return ".webm"
	}
	return audioExtension(strings.ToLower(path.Ext(r.Filename)))
}

// audioExtension keeps the extension of the sender's file if it is one of a recording.
func audioExtension(extension string) string {
	switch extension {
	case ".mp3", ".m4a", ".mp4", ".mpeg", ".mpga", ".oga", ".wav", ".webm", ".flac", ".aac", ".amr":
		return extension
	}
	return ".ogg"
}

// iso639 is the language without region, "" for what is none.
func iso639(tag string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	if len(base) != 2 {
		return ""
	}
	return strings.ToLower(base)
}
