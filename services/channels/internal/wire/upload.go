package wire

import (
	"bytes"
	"context"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/knobot/knobot/services/channels"
)

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
	body := &counted{from: io.MultiReader(bytes.NewReader(head), io.LimitReader(u.File.Content, u.File.Size), bytes.NewReader(tail))}
	total := int64(len(head)) + u.File.Size + int64(len(tail))
	var connected atomic.Bool
	request, err := newRequest(trace(ctx, &connected), u.URL, u.Header, body, contentType)
	if err != nil {
		return Response{}, err
	}
	request.ContentLength = total
	whole := func() bool { return connected.Load() && body.read.Load() >= total }
	return do(c.uploads, request, whole, u.Secrets)
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

// counted counts what the transport took of a body. What was not taken cannot have arrived.
type counted struct {
	from io.Reader
	read atomic.Int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.read.Add(int64(n))
	return n, err
}
