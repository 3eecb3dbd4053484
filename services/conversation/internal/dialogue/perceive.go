package dialogue

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/knobot/knobot/services/conversation"
)

// errTooLarge says that a file does not fit into the question any more.
var errTooLarge = &conversation.PeerError{Verdict: conversation.Refused, Reason: "MEDIA_TOO_LARGE"}

// perceive listens to the voice notes among the open messages and loads what the answerer can look at, so that no answer is
// composed before a transcript exists. What it will never understand keeps its sentence; any other failure is the turn's.
func (w *Worker) perceive(ctx context.Context, t conversation.Turn, open []conversation.OpenMessage) ([]conversation.OpenMessage, error) {
	out := make([]conversation.OpenMessage, 0, len(open))
	room := int64(conversation.MaxSeenBytes)
	for _, m := range open {
		next, err := w.sense(ctx, t, m, &room)
		if err != nil && !refused(err) {
			return nil, err
		}
		if err != nil {
			next = m
		}
		out = append(out, next)
	}
	return out, nil
}

// sense takes in one message.
func (w *Worker) sense(ctx context.Context, t conversation.Turn, m conversation.OpenMessage, room *int64) (conversation.OpenMessage, error) {
	switch {
	case m.Sentence == conversation.SentenceLimit:
		return m, nil // not even listened to
	case m.Transcript != nil:
		return m.Heard(*m.Transcript), nil
	case !m.Spoken() && !m.Shown() || m.File.Error != "":
		return m, nil
	}
	able, err := w.Senses.Able(ctx)
	switch {
	case err != nil:
		return m, err
	case m.Spoken() && able.Transcription:
		return w.listen(ctx, t, m)
	case able.Visible(m):
		return w.look(ctx, t, m, room)
	}
	return m, nil
}

// refused reports whether trying again is of no use, so that the customer has to be asked to write.
func refused(err error) bool {
	var p *conversation.PeerError
	return errors.As(err, &p) && p.Verdict == conversation.Refused
}

// listen has a voice note written down, and stores that at once: whoever takes the turn next need not pay for it again.
func (w *Worker) listen(ctx context.Context, t conversation.Turn, m conversation.OpenMessage) (conversation.OpenMessage, error) {
	begin := time.Now()
	file, err := w.fetched(ctx, t, m)
	if err != nil {
		return m, err
	}
	transcript, err := w.Senses.Transcribe(ctx, conversation.VoiceNote{
		Request: conversation.RequestID(uuid.NewString()), MIMEType: m.File.MIMEType, Filename: m.File.Filename,
	}, w.Files.Read(ctx, file.ID))
	if err != nil {
		return m, err
	}
	w.Metrics.Hearing(ctx, time.Since(begin).Seconds())
	_, err = stored(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, w.Mailbox.Hear(ctx, t, m.ID, file, transcript)
	})
	return m.Heard(transcript), err
}

// look loads a file for the answerer, as far as there is room.
func (w *Worker) look(ctx context.Context, t conversation.Turn, m conversation.OpenMessage, room *int64) (conversation.OpenMessage, error) {
	if m.File.SizeBytes > *room {
		return m, errTooLarge
	}
	file, err := w.fetched(ctx, t, m)
	if err != nil {
		return m, err
	}
	if file.SizeBytes > *room {
		return m, errTooLarge
	}
	var content []byte
	for piece, err := range w.Files.Read(ctx, file.ID) {
		switch {
		case err != nil:
			return m, err
		case int64(len(content)+len(piece)) > *room:
			return m, errTooLarge
		}
		content = append(content, piece...)
	}
	*room -= int64(len(content))
	return m.Seen(content), nil
}

// fetched makes sure that a file is in the store. The queue may not have come to it yet; fetching it twice costs nothing.
func (w *Worker) fetched(ctx context.Context, t conversation.Turn, m conversation.OpenMessage) (conversation.StoredMedia, error) {
	if m.File.Stored != "" {
		return conversation.StoredMedia{ID: m.File.Stored, SizeBytes: m.File.SizeBytes}, nil
	}
	return w.Files.Fetch(ctx, t.Integration, m.File.Media)
}
