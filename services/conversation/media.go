package conversation

import (
	"context"
	"iter"
	"mime"
	"strings"
)

const (
	// MaxFetches is how many recorded failures make a file one that cannot be had: with the waits between, after about an hour.
	MaxFetches = 20
	// MaxSeenBytes bounds the files that one question shows to the answerer.
	MaxSeenBytes = 10 << 20
)

// MediaID names a file in the store of channels.
type MediaID string

// StoredMedia is a file that channels keeps.
type StoredMedia struct {
	ID        MediaID
	SizeBytes int64
}

// Attachment is the file of a message: as its provider described it, and what became of it.
type Attachment struct {
	Media
	// Stored is its name in the store of channels, empty until it was fetched.
	Stored MediaID
	// Error says why it cannot be had, a stable word; empty while it can.
	Error string
}

// File is a file that was loaded for the answerer.
type File struct {
	MIMEType string
	Filename string
	Content  []byte
}

// Fetch is a file that is to be taken from its provider, held by a worker.
type Fetch struct {
	Message     MessageID
	Integration IntegrationID
	Media       Media
	// Failures is how often that has failed.
	Failures int
	// Token fences the worker's hold on it.
	Token string
}

// Abilities are what the answerer can make of files.
type Abilities struct {
	Transcription, Images, Documents bool
}

// VoiceNote is a recording that is to be written down.
type VoiceNote struct {
	// Request names the call in logs.
	Request            RequestID
	MIMEType, Filename string
}

// Files keeps what customers send.
type Files interface {
	// Fetch takes a file from its provider into the store; the same again returns what is stored. Returns a *PeerError:
	// Refused for what will never be had.
	Fetch(ctx context.Context, integration IntegrationID, m Media) (StoredMedia, error)
	// Read returns a stored file, piece by piece, and at the end or in its place a *PeerError.
	Read(ctx context.Context, id MediaID) iter.Seq2[[]byte, error]
}

// Senses are the answerer's eyes and ears.
type Senses interface {
	// Able says what it can do; the news is at most a minute old. Returns a *PeerError.
	Able(ctx context.Context) (Abilities, error)
	// Transcribe returns what is said, empty for silence. Returns a *PeerError: Refused for what will never be understood. An
	// error of the recording is returned as it is.
	Transcribe(ctx context.Context, v VoiceNote, recording iter.Seq2[[]byte, error]) (string, error)
}

// Spoken reports whether a message is a recording.
func (m OpenMessage) Spoken() bool {
	return m.File != nil && (m.Kind == KindVoice || m.Kind == KindAudio)
}

// Shown reports whether a message is a picture or a document that may be looked at.
func (m OpenMessage) Shown() bool {
	return m.File != nil && (m.Kind == KindImage || m.Kind == KindDocument)
}

// Visible reports whether the answerer can read the message's file. Its type is as stated; the answerer looks for itself.
func (a Abilities) Visible(m OpenMessage) bool {
	if !m.Shown() {
		return false
	}
	base, _, err := mime.ParseMediaType(m.File.MIMEType)
	if err != nil {
		return a.Images && m.Kind == KindImage
	}
	switch base {
	case "image/jpeg", "image/png", "image/webp", "image/gif":
		return a.Images
	case "application/pdf":
		return a.Documents
	}
	return false
}

// Heard returns the message with what was said in it as its text. From silence a sentence of ours remains.
func (m OpenMessage) Heard(transcript string) OpenMessage {
	m.Transcript = &transcript
	m.Text = Said(m.Text, transcript)
	m.Sentence = ""
	if strings.TrimSpace(m.Text) == "" {
		m.Sentence = SentenceInaudible
	}
	return m
}

// Seen returns the message with its file loaded, so that there is something to read in it.
func (m OpenMessage) Seen(content []byte) OpenMessage {
	m.Loaded = &File{MIMEType: m.File.MIMEType, Filename: m.File.Filename, Content: content}
	m.Sentence = ""
	return m
}

// Said puts a transcript below the caption that came with the recording, if there is one. The statement dialogue_past does
// the same.
func Said(caption, transcript string) string {
	if caption == "" || transcript == "" {
		return caption + transcript
	}
	return caption + "\n" + transcript
}

// Transcript makes a text that can be stored of what a transcriber wrote.
func Transcript(s string) string {
	return capText(strings.TrimSpace(strings.ReplaceAll(s, "\x00", "")))
}
