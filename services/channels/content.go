package channels

import (
	"context"
	"io"
	"mime"
	"strings"
)

// Content is what a message says, before it is rendered for a platform.
type Content struct {
	// Markdown is CommonMark. With a file it is the caption; what does not fit into one follows as messages of its own.
	Markdown string
	Buttons  [][]Button
	Attachment
}

// NeedsText says that the content cannot go out without a text.
func (c Content) NeedsText() bool {
	return c.Media == nil && c.Reaction == nil || len(c.Buttons) > 0
}

// Attachment is what goes with a text or instead of it: at most one of its fields is set. It is stored as JSON by the names
// of its fields, so none may be renamed, and it is part of a request's fingerprint, so a field that is empty is left out.
type Attachment struct {
	Media          *Media          `json:",omitempty"`
	List           *List           `json:",omitempty"`
	Reaction       *Reaction       `json:",omitempty"`
	ContactRequest *ContactRequest `json:",omitempty"`
}

// MediaKind is how a file is shown.
type MediaKind string

// The kinds.
const (
	MediaImage    MediaKind = "image"
	MediaVideo    MediaKind = "video"
	MediaAudio    MediaKind = "audio"
	MediaDocument MediaKind = "document"
	MediaSticker  MediaKind = "sticker"
	MediaVoice    MediaKind = "voice"
)

// Media is a file to send. Exactly one of ID and URL is set.
type Media struct {
	// Kind may be empty for a stored file until it is looked at.
	Kind MediaKind
	// ID is a stored file's.
	ID string `json:",omitempty"`
	// URL is a public https address, which the platform fetches by itself.
	URL string `json:",omitempty"`
	// Filename is what the customer sees on a document, empty for the stored file's.
	Filename string `json:",omitempty"`
}

// List is a list to choose from.
type List struct {
	// ButtonTitle is the label of the button that opens it on WhatsApp, empty for our own.
	ButtonTitle string `json:",omitempty"`
	Sections    []ListSection
}

// ListSection is a part of a list.
type ListSection struct {
	Title string `json:",omitempty"`
	Rows  []ListRow
}

// ListRow is a choice; ID comes back when it is chosen.
type ListRow struct {
	ID          string
	Title       string
	Description string `json:",omitempty"`
}

// Reaction is an emoji on a received message; an empty one takes it away.
type Reaction struct {
	MessageID string
	Emoji     string `json:",omitempty"`
}

// ContactRequest asks for the customer's phone number.
type ContactRequest struct {
	// ButtonTitle is the label of Telegram's button, empty for our own.
	ButtonTitle string `json:",omitempty"`
}

// MediaLibrary keeps files.
type MediaLibrary interface {
	// Open returns a stored file and its bytes, which the caller closes. Returns ErrMediaNotFound or a fault of kind NotFound if
	// there is none.
	Open(ctx context.Context, id string) (StoredFile, io.ReadCloser, error)
}

// NoMedia is a library without files.
type NoMedia struct{}

// Open implements MediaLibrary.
func (NoMedia) Open(context.Context, string) (StoredFile, io.ReadCloser, error) {
	return StoredFile{}, nil, ErrMediaNotFound
}

// KindOf returns how a stored file is shown if nobody says so. A sticker has to be said: any picture of type WebP could be
// one. What no platform plays or shows is a document.
func KindOf(mimeType string) MediaKind {
	switch baseType(mimeType) {
	case "image/jpeg", "image/png":
		return MediaImage
	case "video/mp4", "video/3gpp":
		return MediaVideo
	case "audio/ogg": // what voice notes are on both platforms, and as an audio file Telegram does not take it
		return MediaVoice
	case "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr":
		return MediaAudio
	default:
		return MediaDocument
	}
}

// Shows reports whether a file of a type can be shown in this way.
func (k MediaKind) Shows(mimeType string) bool {
	base := baseType(mimeType)
	family, _, _ := strings.Cut(base, "/")
	switch k {
	case MediaImage:
		return family == "image"
	case MediaVideo:
		return family == "video"
	case MediaAudio, MediaVoice:
		return family == "audio"
	case MediaSticker: // still, and Telegram's two animated kinds
		return base == "image/webp" || base == "application/x-tgsticker" || base == "video/webm"
	case MediaDocument:
		return true
	default:
		return false
	}
}

// baseType is a MIME type without its parameters.
func baseType(mimeType string) string {
	if base, _, err := mime.ParseMediaType(mimeType); err == nil {
		return base
	}
	return strings.ToLower(strings.TrimSpace(mimeType))
}
