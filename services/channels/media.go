package channels

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
)

// MaxMediaBytes is the largest file that is taken in, whoever sends it: more than Telegram gives (20 MB by getFile) and than
// WhatsApp takes of anything but documents.
const MaxMediaBytes = 25 << 20

// maxFilename is in bytes; file systems take 255.
const maxFilename = 240

// StoredFile describes a file that KnoBot keeps.
type StoredFile struct {
	ID            string
	IntegrationID string
	MIMEType      string
	// Filename is for people only; it may be empty, and nothing is ever written under it.
	Filename  string
	SizeBytes int64
	// SHA256 is in hex.
	SHA256 string
}

// MediaRecord is a stored file with what its keeper needs to know.
type MediaRecord struct {
	StoredFile
	// ProviderID is the provider's id of a received file, empty for an uploaded one.
	ProviderID string
	// BlobKey is where its bytes are. It holds ids of ours and nothing from outside.
	BlobKey    string
	CreateTime time.Time
}

// ReceivedMedia is a customer's file as a webhook described it.
type ReceivedMedia struct {
	ProviderID string
	MIMEType   string
	// SHA256 is in hex or base64, empty when not stated.
	SHA256   string
	Filename string
	// SizeBytes is 0 when not stated.
	SizeBytes int64
}

// ProviderFile is a customer's file as its provider hands it out.
type ProviderFile struct {
	// MIMEType, SHA256 and SizeBytes are what the provider says of it; empty and 0 when it does not.
	MIMEType  string
	SHA256    string
	SizeBytes int64
	// Body gives the bytes. Errors of reading it are *SendError; close it.
	Body io.ReadCloser
}

// Errors of fetching a file that no waiting cures.
var (
	// ErrMediaID says that an id cannot be one of the provider's.
	ErrMediaID = errors.New("not an id of a file at this provider")
	// ErrMediaGone says that the provider does not have the file, or not any more.
	ErrMediaGone = errors.New("the provider does not have the file any more")
	// ErrMediaTooLarge says that the file is larger than the provider gives or we take.
	ErrMediaTooLarge = errors.New("the file is too large")
)

// MediaSource hands out customers' files.
type MediaSource interface {
	// Fetch opens the file with a provider's id. Returns ErrMediaID, ErrMediaGone, ErrMediaTooLarge, or a *SendError.
	Fetch(ctx context.Context, c Credentials, id string) (ProviderFile, error)
}

// CleanFilename returns a name that came from outside as one that can be shown and offered: without folders, control
// characters and the marks that turn the direction of writing, which make "cod.exe" of "exe.doc".
func CleanFilename(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\\':
			return '/'
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.TrimSpace(path.Base(name))
	if strings.Trim(name, "./") == "" {
		return ""
	}
	if len(name) <= maxFilename {
		return name
	}
	ending := path.Ext(name)
	if len(ending) > 16 {
		ending = ""
	}
	return strings.ToValidUTF8(name[:maxFilename-len(ending)], "") + ending
}
