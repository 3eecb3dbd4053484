// Package transcription writes down what voice notes say.
package transcription

import (
	"context"
	"errors"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/services/rag/internal/llm"
)

const (
	// MaxBytes bounds a voice note.
	MaxBytes = 25 << 20
	// atOnce bounds the voice notes that are held in memory; one that finds no room within roomTimeout is sent away.
	atOnce      = 8
	roomTimeout = 10 * time.Second
	busyPause   = 5 * time.Second
	// uploadTimeout bounds how long a caller may take to hand one over.
	uploadTimeout = 60 * time.Second
)

// Model writes down what is said.
type Model interface {
	// Transcribe returns "" for silence, and llm.ErrRefused for a recording that it will never take.
	Transcribe(ctx context.Context, r llm.Recording) (string, error)
}

// Transcriber takes voice notes to a model. It is safe for concurrent use.
type Transcriber struct {
	model Model
	room  chan struct{}
	log   *zap.Logger
}

// New returns a transcriber; without a model (nil) it refuses everything.
func New(model Model, log *zap.Logger) *Transcriber {
	return &Transcriber{model: model, room: make(chan struct{}, atOnce), log: log}
}

// Enabled says whether there is a model.
func (t *Transcriber) Enabled() bool { return t.model != nil }

// Transcribe reads a voice note to its end (io.EOF) and returns what is said, "" for silence. It returns Precondition
// (TRANSCRIPTION_OFF) before it reads anything, Invalid (AUDIO_REFUSED) for what it will never take, Throttled
// (TRANSCRIBER_BUSY) and Unavailable.
func (t *Transcriber) Transcribe(ctx context.Context, r llm.Recording, next func() ([]byte, error)) (string, error) {
	if !t.Enabled() {
		return "", fault.New(fault.Precondition, "TRANSCRIPTION_OFF", "no transcriber is configured: set KNOBOT_TRANSCRIPTION_MODEL")
	}
	if err := t.enter(ctx); err != nil {
		return "", err
	}
	defer func() { <-t.room }()
	var err error
	if r.Audio, err = collect(ctx, next); err != nil {
		return "", err
	}
	text, err := t.model.Transcribe(ctx, r)
	return text, t.meaning(ctx, r, err)
}

func (t *Transcriber) enter(ctx context.Context) error {
	timer := time.NewTimer(roomTimeout)
	defer timer.Stop()
	select {
	case t.room <- struct{}{}:
		return nil
	case <-timer.C:
		return fault.New(fault.Throttled, "TRANSCRIBER_BUSY", "too many recordings are being transcribed, try again").WithRetryAfter(busyPause)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// meaning says what a model's failure means for the caller.
func (t *Transcriber) meaning(ctx context.Context, r llm.Recording, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, llm.ErrRefused):
		return refused("the transcriber does not take this recording").WithCause(err)
	}
	t.log.Warn("voice note could not be transcribed", logging.Request(ctx), zap.String("request", r.RequestID), zap.Error(err))
	return fault.New(fault.Unavailable, "TRANSCRIBER_UNAVAILABLE", "the transcriber cannot be reached now, try again").WithCause(err)
}

// collect reads a voice note within its bounds. A caller that neither goes on nor ends is left; the read itself ends with
// the call.
func collect(ctx context.Context, next func() ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	type result struct {
		audio []byte
		err   error
	}
	done := make(chan result, 1)
	go func() {
		audio, err := readAll(next)
		done <- result{audio, err}
	}()
	select {
	case r := <-done:
		return r.audio, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func readAll(next func() ([]byte, error)) ([]byte, error) {
	var audio []byte
	for {
		chunk, err := next()
		switch {
		case errors.Is(err, io.EOF) && len(audio) == 0:
			return nil, refused("the recording is empty")
		case errors.Is(err, io.EOF):
			return audio, nil
		case err != nil:
			return nil, err
		case len(audio)+len(chunk) > MaxBytes:
			return nil, refused("a recording holds at most 25 MiB")
		}
		audio = append(audio, chunk...)
	}
}

func refused(message string) *fault.Error { return fault.New(fault.Invalid, "AUDIO_REFUSED", message) }
