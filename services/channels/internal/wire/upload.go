package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// UploadTimeout ends a call that carries a file, whatever its context says.
const UploadTimeout = 60 * time.Second

// Upload is a POST of a form with a file.
type Upload struct {
	URL    string
	Header http.Header
	Fields map[string]string
	File   File
	// Secrets must not appear in an error.
	Secrets []string
}

// File is the file of a form.
type File struct {
	// Field is its name in the form, Name its own.
	Field, Name, MIMEType string
	// Size is how many bytes Content has.
	Size    int64
	Content io.Reader
}

// Upload makes the call. Its error is always a *channels.SendError: ClassRetry if the request cannot have reached the
// provider as a whole, as when the file could not be read to its end; ClassInDoubt if it may have.
func (c *Caller) Upload(ctx context.Context, u Upload) (Response, error) {
	head, tail, contentType, err := frame(u)
	if err != nil {
		return Response{}, &channels.SendError{Class: channels.ClassInvalid, Message: "the file cannot be written as a form"}
	}
	var sent atomic.Bool
	size := int64(len(head)) + u.File.Size + int64(len(tail))
	content := io.MultiReader(bytes.NewReader(head), io.LimitReader(u.File.Content, u.File.Size), bytes.NewReader(tail))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.URL, &counted{from: content, left: size, done: &sent})
	if err != nil { // its text quotes the address
		return Response{}, &channels.SendError{Class: channels.ClassRetry, Message: "the provider's base URL cannot be used"}
	}
	request.ContentLength = size
	maps.Copy(request.Header, u.Header)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", userAgent)
	return (&Caller{http: c.uploads}).do(request, &sent, u.Secrets)
}

// frame returns what stands before the file in the form and what comes after it.
func frame(u Upload) (head, tail []byte, contentType string, err error) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(u.Fields)) {
		if err := form.WriteField(name, u.Fields[name]); err != nil {
			return nil, nil, "", err
		}
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", multipart.FileContentDisposition(u.File.Field, fileName(u.File.Name)))
	header.Set("Content-Type", mimeType(u.File.MIMEType))
	if _, err := form.CreatePart(header); err != nil {
		return nil, nil, "", err
	}
	head = bytes.Clone(b.Bytes())
	if err := form.Close(); err != nil {
		return nil, nil, "", err
	}
	return head, b.Bytes()[len(head):], form.FormDataContentType(), nil
}

// FileFailure says what it means for a message that its stored file could not be opened.
func FileFailure(err error) *channels.SendError {
	if errors.Is(err, channels.ErrMediaNotFound) || fault.IsKind(err, fault.NotFound) {
		return &channels.SendError{Class: channels.ClassInvalid, Message: "the stored file is gone", Err: err}
	}
	return &channels.SendError{Class: channels.ClassRetry, Message: "the stored file cannot be read now", Err: err}
}

// fileName makes a name that a customer may have chosen fit for a header.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	if name == "" {
		return "file" // Without a name it would be an ordinary field.
	}
	return name
}

// mimeType leaves out what is none: it may come from a customer's message.
func mimeType(stated string) string {
	base, parameters, err := mime.ParseMediaType(stated)
	if err != nil {
		return "application/octet-stream"
	}
	return mime.FormatMediaType(base, parameters)
}

// counted notes when the transport has taken the whole of a body. Half of one cannot have arrived as a message.
type counted struct {
	from io.Reader
	left int64
	done *atomic.Bool
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if c.left -= int64(n); c.left <= 0 {
		c.done.Store(true)
	}
	return n, err
}
