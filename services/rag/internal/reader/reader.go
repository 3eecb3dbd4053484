// Package reader reads files of every kind that can be taken in, as text that package chunk cuts: tables row by row, pages
// as paragraphs, headings and lists as they stand. Files come from strangers: whatever they hold, reading ends in time, in
// bounded memory, and with an error that says what is wrong with them.
package reader

import (
	"context"
	"errors"
	"strings"
	"time"

	rag "github.com/knobot/knobot/services/rag"
)

// Recipe names this way of reading wherever what came of it is stored; any change of it needs a new one.
const Recipe = "1"

var (
	// ErrUnreadable says that the file cannot be read as what it claims to be.
	ErrUnreadable = errors.New("reader: the file cannot be read")
	// ErrTooLarge says that the file holds more than a document may.
	ErrTooLarge = errors.New("reader: the file holds too much")
	// ErrEncrypted says that the file asks for a password.
	ErrEncrypted = errors.New("reader: the file asks for a password")
	// ErrEmpty says that the file holds no text, as a scanned page does not.
	ErrEmpty = errors.New("reader: the file holds no text")
)

const (
	// maxText bounds the text of a file, in bytes; it is that of a text document.
	maxText = 8 << 20
	// maxTime bounds the reading of a file.
	maxTime = 90 * time.Second
)

// Text is what was read.
type Text struct {
	// Type is plain text, Markdown or HTML.
	Type rag.ContentType
	// Content is in UTF-8, except for that of a text document, which is passed on as it came.
	Content []byte
}

// Reader reads files. It is safe for concurrent use.
type Reader struct {
	pdf *pdfReader
}

// New returns a reader. In the folder it keeps the compiled reader of PDFs, which then starts in a tenth of the time and
// memory; if the folder is empty or cannot be used, nothing is kept.
func New(cacheDir string) *Reader { return &Reader{pdf: newPDFReader(cacheDir)} }

// Close ends what reading left running.
func (r *Reader) Close() { r.pdf.close() }

// Read reads a file. It returns ErrUnreadable, ErrTooLarge, ErrEncrypted or ErrEmpty for what is wrong with the file, else
// the context's error or a fault of the reader, which another try may cure.
func (r *Reader) Read(ctx context.Context, kind rag.ContentType, content []byte) (Text, error) {
	out := &markdown{}
	var err error
	switch kind {
	case rag.CSV:
		err = timed(ctx, func(ctx context.Context) error { return readCSV(ctx, content, out) })
	case rag.QuestionsAndAnswers:
		err = readPairs(content, out)
	case rag.PDF:
		err = r.pdf.read(ctx, content, out)
	case rag.DOCX:
		err = timed(ctx, func(ctx context.Context) error { return readDOCX(ctx, content, out) })
	case rag.XLSX:
		err = timed(ctx, func(ctx context.Context) error { return readXLSX(ctx, content, out) })
	default:
		return Text{Type: kind, Content: content}, nil
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		return Text{}, err
	}
	return Text{Type: rag.Markdown, Content: []byte(out.text.String())}, nil
}

// timed bounds the time of f. If the time or the context is over, that is why f broke off, whatever it says.
func timed(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, maxTime, ErrTooLarge)
	defer cancel()
	err := f(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// markdown gathers the text of a file.
type markdown struct {
	text     strings.Builder
	overflow bool
	heading  string // of what comes next, if anything does
}

// headed puts a heading before what is added next.
func (m *markdown) headed(heading string) { m.heading = heading }

// add appends text that ends with an empty line or a line break of its own.
func (m *markdown) add(parts ...string) {
	heading := m.heading
	m.heading = ""
	for _, part := range append([]string{heading}, parts...) {
		if m.overflow = m.overflow || m.text.Len()+len(part) > maxText; !m.overflow {
			m.text.WriteString(part)
		}
	}
}

// full returns ErrTooLarge once more was added than is kept.
func (m *markdown) full() error {
	if m.overflow {
		return ErrTooLarge
	}
	return nil
}

func (m *markdown) end() error {
	if m.overflow {
		return ErrTooLarge
	}
	if strings.TrimSpace(m.text.String()) == "" {
		return ErrEmpty
	}
	return nil
}
