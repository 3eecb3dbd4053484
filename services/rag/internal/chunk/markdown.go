package chunk

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/knobot/knobot/services/rag/internal/commonmark"
)

// readMarkdown cuts Markdown at its headings. Only blocks are parsed: what stands within a line is passed on as written.
func readMarkdown(content string) (title string, sections []section) {
	title, content = frontMatter(content)
	source := []byte(tame(content))
	root := newBlockParser().Parse(text.NewReader(source))
	w := &walker{source: source, title: title}
	for node := root.FirstChild(); node != nil; node = node.NextSibling() {
		w.top(node)
	}
	w.flush()
	return w.title, w.sections
}

// newBlockParser parses blocks and tables.
func newBlockParser() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithParagraphTransformers(
			util.Prioritized(extension.NewTableParagraphTransformer(), 200),
		),
	)
}

// maxNesting is how deep quotes and lists may stand in each other.
const maxNesting = 16

// tame removes the markers and the indentation beyond maxNesting at a line's beginning: the work of a block parser grows with the square of
// the nesting, and nobody reads such a document.
func tame(content string) string {
	content = deepMarkers.ReplaceAllString(content, "$1 ")
	return deepIndent.ReplaceAllString(content, "$1")
}

var (
	deepMarkers = regexp.MustCompile(fmt.Sprintf(`(?m)^((?:[ \t]*(?:[>*+-]|\d{1,9}[.)])){%d})[ \t>*+-]*`, maxNesting))
	deepIndent  = regexp.MustCompile(fmt.Sprintf(`(?m)^([ \t]{%d})[ \t]+`, 4*maxNesting))
)

// frontMatter cuts off a YAML head, as site generators use, and takes its title.
func frontMatter(content string) (title, rest string) {
	if !strings.HasPrefix(content, "---\n") {
		return "", content
	}
	head, rest, found := strings.Cut(content[4:], "\n---\n")
	if !found || strings.Contains(head, "\n\n") {
		return "", content
	}
	for line := range strings.Lines(head) {
		if value, ok := strings.CutPrefix(line, "title:"); ok {
			title = clip(strings.Trim(oneLine(value), `"'`))
		}
	}
	return title, rest
}

// walker gathers sections from a document's blocks.
type walker struct {
	source   []byte
	title    string
	headings []heading
	atoms    []atom
	sections []section
}

type heading struct {
	level int
	text  string
}

// top takes a block of the outermost level; only here do headings open sections.
func (w *walker) top(node ast.Node) {
	h, ok := node.(*ast.Heading)
	if !ok {
		w.block(node, 0)
		return
	}
	w.flush()
	name := clip(bare(w.text(h)))
	if w.title == "" && h.Level == 1 && len(w.sections) == 0 && len(w.headings) == 0 {
		w.title = name
	}
	for len(w.headings) > 0 && w.headings[len(w.headings)-1].level >= h.Level {
		w.headings = w.headings[:len(w.headings)-1]
	}
	if name != "" {
		w.headings = append(w.headings, heading{level: h.Level, text: name})
	}
}

// flush closes the section at hand.
func (w *walker) flush() {
	if len(w.atoms) == 0 {
		return
	}
	path := make([]string, len(w.headings))
	for i, h := range w.headings {
		path[i] = h.text
	}
	w.sections = append(w.sections, section{path: path, atoms: w.atoms})
	w.atoms = nil
}

func (w *walker) block(node ast.Node, depth int) {
	switch n := node.(type) {
	case *ast.Heading:
		w.atoms = append(w.atoms, newAtoms("**"+bare(w.text(n))+"**", newParagraph)...)
	case *ast.Paragraph, *ast.TextBlock:
		w.atoms = append(w.atoms, paragraph(w.text(n))...)
	case *ast.List:
		w.list(n, depth)
	case *extast.Table:
		w.table(n)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		w.code(n)
	case *ast.HTMLBlock:
		w.html(n)
	case *ast.Blockquote:
		for child := n.FirstChild(); child != nil; child = child.NextSibling() {
			w.block(child, depth)
		}
	}
}

// text returns a block's own lines as one, without tags and comments.
func (w *walker) text(node ast.Node) string {
	var out bytes.Buffer
	lines := node.Lines()
	for i := range lines.Len() {
		segment := lines.At(i)
		out.Write(segment.Value(w.source))
		out.WriteByte(' ')
	}
	return oneLine(withoutTags(out.String()))
}

// list makes an atom of each item; what an item holds besides its text follows it.
func (w *walker) list(list *ast.List, depth int) {
	join := newParagraph
	if depth > 0 || w.introduced() {
		join = sameList
	}
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "- "
		if list.IsOrdered() {
			mark = fmt.Sprintf("%d. ", number)
			number++
		}
		for child := item.FirstChild(); child != nil; child = child.NextSibling() {
			if sub, ok := child.(*ast.List); ok {
				w.list(sub, depth+1)
				continue
			}
			if child != item.FirstChild() {
				w.block(child, depth+1)
				continue
			}
			body := strings.Repeat("   ", depth) + mark + w.text(child)
			w.atoms = append(w.atoms, newAtoms(body, join)...)
			join = sameList
		}
	}
}

// introduced tells whether the last atom announces what follows: "You need:".
func (w *walker) introduced() bool {
	return len(w.atoms) > 0 && strings.HasSuffix(w.atoms[len(w.atoms)-1].text, ":")
}

// code keeps the lines of a code block, as text.
func (w *walker) code(node ast.Node) {
	join := newParagraph
	lines := node.Lines()
	for i := range lines.Len() {
		segment := lines.At(i)
		if line := oneLine(string(segment.Value(w.source))); line != "" {
			w.atoms = append(w.atoms, newAtoms(commonmark.Escape(line), join)...)
			join = sameList
		}
	}
}

// html reads the text of an HTML block.
func (w *walker) html(node *ast.HTMLBlock) {
	var out bytes.Buffer
	for i := range node.Lines().Len() {
		segment := node.Lines().At(i)
		out.Write(segment.Value(w.source))
	}
	if node.HasClosure() {
		out.Write(node.ClosureLine.Value(w.source))
	}
	for _, part := range emptyLines.Split(withoutTags(out.String()), -1) {
		w.atoms = append(w.atoms, paragraph(oneLine(part))...)
	}
}

var (
	emphasis = regexp.MustCompile("[*`]|\\b_+\\B|\\B_+\\b")
	anyLink  = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

// bare takes links and emphasis off a heading.
func bare(s string) string {
	return oneLine(emphasis.ReplaceAllString(anyLink.ReplaceAllString(s, "$1"), ""))
}
