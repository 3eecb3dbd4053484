// Package chunk cuts documents into passages: at headings, about 150 words each with 50 words of overlap, tables row by
// row with their header. Text, Markdown and HTML all end as CommonMark passages, which can be shown as they are.
package chunk

import (
	"errors"
	"strings"
	"unicode/utf8"

	rag "github.com/knobot/knobot/services/rag"
)

// Recipe names this way of cutting wherever passages are stored; any change of it needs a new one.
const Recipe = "2"

const (
	// passageWords and overlapWords measured best at the sizes of context that answers use.
	passageWords = 150
	overlapWords = 50
	// maxPassages bounds what one document may put into the index; 8 MiB of ordinary prose make some 14,000.
	maxPassages = 20_000
	// maxHeading bounds a heading, in characters: longer ones are paragraphs in disguise.
	maxHeading = 200
)

var (
	// ErrEncoding says that the content is not UTF-8.
	ErrEncoding = errors.New("chunk: content is not UTF-8")
	// ErrUnreadable says that the content cannot be read as what it claims to be.
	ErrUnreadable = errors.New("chunk: content cannot be read")
	// ErrTooMany says that the content would make more passages than one document may have.
	ErrTooMany = errors.New("chunk: too many passages")
)

// Source is a document to cut.
type Source struct {
	// Name is the owner's handle; it gives the title of a document that has none.
	Name string
	// Title is the one the owner gave, or empty.
	Title string
	// Type is how to read the content.
	Type rag.ContentType
	// Content is the document.
	Content []byte
}

// Outline is a document cut.
type Outline struct {
	// Title is the given one, else the document's own, else one made of the name.
	Title string
	// Passages in the document's order.
	Passages []Passage
}

// Passage is a part of a section.
type Passage struct {
	// HeadingPath holds the headings above it, outermost first, without the title.
	HeadingPath []string
	// Text is CommonMark.
	Text string
}

// Split cuts a document. It returns ErrEncoding, ErrUnreadable or ErrTooMany.
func Split(src Source) (Outline, error) {
	if !utf8.Valid(src.Content) {
		return Outline{}, ErrEncoding
	}
	own, sections, err := read(src.Type, visible(string(src.Content)))
	if err != nil {
		return Outline{}, err
	}
	title := firstOf(plainSpoken(clip(oneLine(src.Title))), plainSpoken(own), fromName(src.Name))
	out := Outline{Title: title}
	for _, s := range sections {
		path := s.path
		if len(path) > 0 && path[0] == title {
			path = path[1:]
		}
		for _, text := range pack(s.atoms) {
			if text = plainSpoken(text); text != "" {
				out.Passages = append(out.Passages, Passage{HeadingPath: path, Text: text})
			}
		}
		if len(out.Passages) > maxPassages {
			return Outline{}, ErrTooMany
		}
	}
	return out, nil
}

func read(kind rag.ContentType, content string) (title string, sections []section, err error) {
	switch kind {
	case rag.Markdown:
		title, sections = readMarkdown(content)
	case rag.HTML:
		title, sections, err = readHTML(content)
	default:
		sections = readPlain(content)
	}
	return title, sections, err
}

// section is what stands below one heading.
type section struct {
	path  []string
	atoms []atom
}

func firstOf(choices ...string) string {
	for _, s := range choices {
		if s != "" {
			return s
		}
	}
	return ""
}

// fromName makes "Costos de envio" of "docs/costos_de-envio.md".
func fromName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	name = strings.TrimSpace(strings.NewReplacer("_", " ", "-", " ").Replace(name))
	if name == "" {
		return name
	}
	first, size := utf8.DecodeRuneInString(name)
	return strings.ToUpper(string(first)) + name[size:]
}

// oneLine joins white space of every kind to single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func clip(s string) string {
	n := 0
	for i := range s {
		if n == maxHeading {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
