package markup

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// rule is a thematic break.
const rule = "———"

// parse reads CommonMark. Text that has no visible content as CommonMark (a lone "-", say) is shown as it is.
func parse(markdown string) document {
	markdown, cut := clean(markdown)
	if blank(markdown) {
		return document{}
	}
	if hostile(markdown) {
		return plainDocument(markdown)
	}
	f := flattener{source: []byte(markdown)}
	f.blocks(newParser().Parser().Parse(text.NewReader(f.source)), 2)
	if cut {
		f.write(ellipsis, 0, "")
	}
	if doc := f.document(); !blank(doc.text) {
		return doc
	}
	return plainDocument(markdown)
}

func newParser() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify))
}

// flattener walks the syntax tree and writes its text.
type flattener struct {
	builder
	source []byte
	style  style
	link   string
}

// blocks writes the block children of a node with gap line feeds between them.
func (f *flattener) blocks(parent ast.Node, gap int) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		f.builder.block(gap)
		f.blockNode(n, gap)
	}
}

func (f *flattener) blockNode(n ast.Node, gap int) {
	switch n := n.(type) {
	case *ast.Heading:
		f.styled(bold, n)
	case *ast.Blockquote:
		f.quotation(n)
	case *ast.List:
		f.list(n)
	case *ast.CodeBlock:
		f.code(n.Lines())
	case *ast.FencedCodeBlock:
		f.code(n.Lines())
	case *ast.HTMLBlock:
		f.htmlBlock(n)
	case *ast.ThematicBreak:
		f.write(rule, 0, "")
	case *extast.Table:
		f.table(n)
	case *ast.Paragraph, *ast.TextBlock:
		f.inlines(n)
	default:
		f.blocks(n, gap)
	}
}

// quotation writes a quotation. One inside another joins it: neither platform nests them.
func (f *flattener) quotation(n ast.Node) {
	if f.quoteID != 0 {
		f.blocks(n, 2)
		return
	}
	f.quotes++
	f.quoteID = f.quotes
	f.blocks(n, 2)
	f.quoteID = 0
}

// list writes a list with real characters as markers, which look the same everywhere.
func (f *flattener) list(n *ast.List) {
	gap := 1
	if !n.IsTight {
		gap = 2
	}
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		marker := "• "
		if n.IsOrdered() {
			marker = strconv.Itoa(number) + ". "
			number++
		}
		f.builder.block(gap)
		f.item(item, marker, gap)
	}
}

// item writes the blocks of a list item after its marker, later lines indented.
func (f *flattener) item(n ast.Node, marker string, gap int) {
	// The marker of an outer item that has no text of its own goes in front of this one.
	if f.marker != "" {
		marker = f.marker + marker
	} else {
		marker = f.indent + marker
	}
	outer := f.indent
	f.indent, f.marker = outer+"   ", marker
	if strings.HasSuffix(marker, "• ") {
		f.indent = outer + "  "
	}
	f.blocks(n, gap)
	f.indent, f.marker = outer, ""
}

// code writes a block of code.
func (f *flattener) code(lines *text.Segments) {
	f.write(strings.Trim(f.lines(lines), "\n"), pre, "")
}

// htmlBlock shows raw HTML as the text that it is.
func (f *flattener) htmlBlock(n *ast.HTMLBlock) {
	raw := f.lines(n.Lines())
	if n.HasClosure() {
		raw += string(n.ClosureLine.Value(f.source))
	}
	raw = strings.TrimSpace(raw)
	if !isLineBreakTag(raw) {
		f.write(raw, f.style, "")
	}
}

func (f *flattener) lines(lines *text.Segments) string {
	var b strings.Builder
	for i := range lines.Len() {
		segment := lines.At(i)
		b.Write(segment.Value(f.source))
	}
	return b.String()
}
