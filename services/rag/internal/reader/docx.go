package reader

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/knobot/knobot/services/rag/internal/commonmark"
)

// docxBody is the part of a DOCX that holds its text.
const docxBody = "word/document.xml"

// readDOCX reads what a DOCX shows: headings, paragraphs, lists and tables (ECMA-376 part 1, chapter 17). Deleted and
// hidden text, field codes, headers and footers are not read.
func readDOCX(ctx context.Context, content []byte, out *markdown) error {
	archive, err := openZip(content)
	if err != nil {
		return err
	}
	body, err := part(archive, docxBody)
	if err != nil {
		return err
	}
	if body == nil {
		return fmt.Errorf("%w: it has no %s", ErrUnreadable, docxBody)
	}
	defer func() { _ = body.Close() }()
	styles, err := readStyles(archive)
	if err != nil {
		return err
	}
	w := &wordReader{ctx: ctx, tokens: xml.NewDecoder(body), styles: styles, out: out}
	return w.read()
}

// maxDepth is how deep elements may stand in each other; Word writes some twenty.
const maxDepth = 256

// wordReader walks the elements of a document's body once, from beginning to end.
type wordReader struct {
	ctx    context.Context
	tokens *xml.Decoder
	styles map[string]int
	out    *markdown

	depth  int
	tables []*wordTable
	block  paragraph
	listed bool
}

// paragraph is the one being read.
type paragraph struct {
	text   strings.Builder
	level  int // of a heading, from 1; 0 for none
	item   bool
	indent int
	hidden bool // the run at hand is not shown
}

// wordTable is a table being read; one that stands in a cell of another is read as that cell's text.
type wordTable struct {
	table *table
	row   []string
	cell  strings.Builder
}

func (w *wordReader) read() error {
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		token, err := w.tokens.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := w.start(t); err != nil {
				return err
			}
		case xml.EndElement:
			w.depth--
			w.end(t.Name.Local)
		}
		if err := w.out.full(); err != nil {
			return err
		}
	}
	w.endList()
	return nil
}

func (w *wordReader) start(t xml.StartElement) error {
	if w.depth++; w.depth > maxDepth {
		return fmt.Errorf("%w: its elements are nested too deep", ErrUnreadable)
	}
	switch t.Name.Local {
	case "t":
		return w.text()
	case "tab", "br", "cr":
		w.block.text.WriteByte(' ')
	case "noBreakHyphen":
		w.block.text.WriteByte('-')
	case "Fallback", "del", "moveFrom", "instrText", "delText":
		// What a reader does not see: an older program's version of a drawing, deleted text, a field's code.
		w.depth--
		return w.skip()
	case "p":
		w.paragraph()
	case "tbl":
		w.openTable()
	default:
		w.property(t)
	}
	return nil
}

// paragraph begins one. One within another, as a drawing's, ends what was written of the outer.
func (w *wordReader) paragraph() {
	if w.block.text.Len() > 0 {
		w.endParagraph()
	}
	w.block = paragraph{}
}

func (w *wordReader) openTable() {
	if w.endParagraph(); len(w.tables) == 0 {
		w.endList()
	}
	w.tables = append(w.tables, &wordTable{table: newTable(w.out)})
}

// property takes what an element says of the paragraph or run at hand.
func (w *wordReader) property(t xml.StartElement) {
	value := attribute(t, "val")
	switch t.Name.Local {
	case "pStyle":
		if level := w.styles[value]; level > 0 {
			w.block.level = level
		}
	case "outlineLvl":
		w.block.level = outline(value)
	case "numPr":
		w.block.item = true
	case "numId":
		w.block.item = value != "0" // 0 takes a style's numbering away
	case "ilvl":
		w.block.indent = digit(value)
	case "r":
		w.block.hidden = false
	case "vanish", "webHidden":
		w.block.hidden = value != "0" && value != "false"
	}
}

// text reads the characters of a run.
func (w *wordReader) text() error {
	var text struct {
		Text string `xml:",chardata"`
	}
	start := xml.StartElement{Name: xml.Name{Local: "t"}}
	if err := w.tokens.DecodeElement(&text, &start); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	w.depth--
	if w.block.hidden {
		return nil
	}
	if w.block.text.Len()+len(text.Text) > maxText {
		return ErrTooLarge
	}
	w.block.text.WriteString(text.Text)
	return nil
}

func (w *wordReader) skip() error {
	if err := w.tokens.Skip(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}

func (w *wordReader) end(name string) {
	switch name {
	case "p":
		w.endParagraph()
	case "tc":
		w.endCell()
	case "tr":
		if t := w.innermost(); t != nil && len(w.tables) == 1 {
			t.table.row(t.row)
			t.row = nil
		}
	case "tbl":
		w.endTable()
	}
}

func (w *wordReader) innermost() *wordTable {
	if len(w.tables) == 0 {
		return nil
	}
	return w.tables[len(w.tables)-1]
}

// endParagraph writes the paragraph, into the cell at hand if there is one.
func (w *wordReader) endParagraph() {
	text := strings.Join(strings.Fields(w.block.text.String()), " ")
	level, item, indent := w.block.level, w.block.item, w.block.indent
	w.block = paragraph{}
	if text == "" {
		return
	}
	if t := w.innermost(); t != nil {
		if t.cell.Len() > 0 {
			t.cell.WriteByte(' ')
		}
		t.cell.WriteString(text)
		return
	}
	switch {
	case level > 0:
		w.endList()
		w.out.add(commonmark.Heading(level, text))
	case item:
		w.out.add(strings.Repeat("    ", indent), "- ", commonmark.Line(text), "\n")
		w.listed = true
	default:
		w.endList()
		w.out.add(commonmark.Line(text), "\n\n")
	}
}

func (w *wordReader) endList() {
	if w.listed {
		w.out.add("\n")
	}
	w.listed = false
}

func (w *wordReader) endCell() {
	w.endParagraph()
	if t := w.innermost(); t != nil {
		t.row = append(t.row, t.cell.String())
		t.cell.Reset()
	}
}

// endTable writes a table's end; that of an inner one puts its cells into the outer one's.
func (w *wordReader) endTable() {
	t := w.innermost()
	if t == nil {
		return
	}
	w.tables = w.tables[:len(w.tables)-1]
	if outer := w.innermost(); outer != nil {
		outer.cell.WriteString(" " + strings.Join(t.row, " "))
		return
	}
	t.table.close()
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// digit reads a level from 0 to 8.
func digit(s string) int {
	if len(s) == 1 && s[0] >= '0' && s[0] <= '8' {
		return int(s[0] - '0')
	}
	return 0
}

// outline turns Word's outline level, from 0, into a heading's; 9 is body text.
func outline(value string) int {
	if value == "" || value == "9" {
		return 0
	}
	return digit(value) + 1
}

// readStyles returns the heading level of each style that is one, by its id.
func readStyles(archive *zip.Reader) (map[string]int, error) {
	r, err := part(archive, "word/styles.xml")
	if err != nil || r == nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	levels := map[string]int{}
	tokens := xml.NewDecoder(r)
	id := ""
	for len(levels) < maxEntries {
		token, err := tokens.Token()
		if err != nil {
			return levels, nil // a document whose styles are broken is read without headings
		}
		t, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch value := attribute(t, "val"); t.Name.Local {
		case "style":
			id = attribute(t, "styleId")
		case "name":
			if level := headingName(value); level > 0 {
				levels[id] = level
			}
		case "outlineLvl":
			if level := outline(value); level > 0 {
				levels[id] = level
			}
		}
	}
	return levels, nil
}

// headingName reads the level out of a built-in style's name, which is English in every language of Word.
func headingName(name string) int {
	switch name = strings.ToLower(name); {
	case name == "title":
		return 1
	case strings.HasPrefix(name, "heading ") && len(name) == len("heading ")+1:
		return digit(name[len(name)-1:])
	}
	return 0
}
