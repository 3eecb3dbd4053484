package markup

import (
	"html"
	"net/url"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// maxLink is the longest link target that becomes a link; longer ones are shown as text, which can be split.
const maxLink = 2000

// styled writes the inline children of a node with one more mark.
func (f *flattener) styled(st style, n ast.Node) {
	before := f.style
	f.style |= st
	f.inlines(n)
	f.style = before
}

// inlines writes the inline children of a node.
func (f *flattener) inlines(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		f.inline(n)
	}
}

func (f *flattener) inline(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		f.text(n)
	case *ast.String:
		f.write(string(n.Value), f.style, f.link)
	case *ast.CodeSpan:
		f.codeSpan(n)
	case *ast.Emphasis:
		f.styled(map[bool]style{true: bold, false: italic}[n.Level >= 2], n)
	case *extast.Strikethrough:
		f.styled(strike, n)
	case *ast.Link:
		f.linked(n, n.Destination)
	case *ast.Image:
		f.linked(n, n.Destination)
	case *ast.AutoLink:
		f.write(string(n.Label(f.source)), f.style, f.link)
	case *ast.RawHTML:
		f.rawHTML(n)
	default:
		f.inlines(n)
	}
}

// text writes a text node. A line break of the source stays one: whoever writes for a chat means it.
func (f *flattener) text(n *ast.Text) {
	value := string(n.Value(f.source))
	if !n.IsRaw() {
		value = unescape(value)
	}
	f.write(value, f.style, f.link)
	if n.SoftLineBreak() || n.HardLineBreak() {
		f.write("\n", f.style, f.link)
	}
}

// codeSpan writes inline code. Inside a link the link wins: Telegram allows only one of them.
func (f *flattener) codeSpan(n ast.Node) {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Value(f.source))
		}
	}
	value := strings.ReplaceAll(b.String(), "\n", " ")
	if f.link != "" {
		f.write(value, f.style, f.link)
		return
	}
	f.write(value, code, "")
}

// rawHTML shows a tag as the text that it is; <br> is what language models write into table cells for a line break.
func (f *flattener) rawHTML(n *ast.RawHTML) {
	var b strings.Builder
	for i := range n.Segments.Len() {
		segment := n.Segments.At(i)
		b.Write(segment.Value(f.source))
	}
	if isLineBreakTag(b.String()) {
		f.write("\n", f.style, f.link)
		return
	}
	f.write(b.String(), f.style, f.link)
}

func isLineBreakTag(s string) bool {
	inner, ok := strings.CutPrefix(strings.ToLower(s), "<br")
	return ok && (inner == ">" || inner == "/>" || inner == " />")
}

// linked writes a link or an image: its text, then its target where the text does not show it already.
func (f *flattener) linked(n ast.Node, destination []byte) {
	if f.link != "" { // an image inside a link
		f.inlines(n)
		return
	}
	address := strings.ReplaceAll(unescape(string(destination)), " ", "%20")
	label := strings.TrimSpace(f.label(n))
	switch kind := kindOf(address); {
	case label == "":
		f.write(address, f.style, "")
	case kind == forbidden, sameTarget(label, address):
		f.inlines(n)
	case kind == textual:
		f.inlines(n)
		f.write(" ("+address+")", 0, "")
	default:
		f.link = address
		f.inlines(n)
		f.link = ""
		f.write(" ("+address+")", target|glue, "")
	}
}

// label returns the text of a node and its children as the source has it.
func (f *flattener) label(n ast.Node) string {
	sub := flattener{source: f.source, link: "-"}
	sub.inlines(n)
	return sub.document().text
}

// linkKind says what can be done with the target of a link.
type linkKind int

const (
	textual   linkKind = iota // shown beside the text: no scheme, or too long
	clickable                 // a scheme that both platforms open
	forbidden                 // a scheme that no customer can use (javascript, data, file …): only the text of the link is shown
)

func kindOf(address string) linkKind {
	if address == "" {
		return forbidden
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || len(address) > maxLink {
		return textual
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host == "" {
			return textual
		}
		return clickable
	case "mailto", "tel", "tg":
		return clickable
	default:
		return forbidden
	}
}

// sameTarget reports whether the text of a link shows its target.
func sameTarget(label, address string) bool {
	bare := func(s string) string {
		for _, prefix := range []string{"https://", "http://", "mailto:", "tel:"} {
			s = strings.TrimPrefix(s, prefix)
		}
		return strings.TrimSuffix(s, "/")
	}
	return bare(label) == bare(address)
}

// unescape resolves backslash escapes and character references in one pass, so that "\&amp;" stays "&amp;".
func unescape(s string) string {
	if !strings.ContainsAny(s, "\\&") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '\\' && i+1 < len(s) && isPunctuation(s[i+1]):
			b.WriteByte(s[i+1])
			i += 2
		case s[i] == '&':
			n := referenceLength(s[i:])
			b.WriteString(html.UnescapeString(s[i : i+n]))
			i += n
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	cleaned, _ := clean(b.String()) // a reference may name a control character
	return cleaned
}

// referenceLength returns the length of the character reference at the start of s, 1 if there is none.
func referenceLength(s string) int {
	for i := 1; i < len(s) && i < 34; i++ { // the longest name, CounterClockwiseContourIntegral, has 31 letters
		switch c := s[i]; {
		case c == ';':
			return i + 1
		case c != '#' && !isAlphanumeric(c):
			return 1
		}
	}
	return 1
}

func isPunctuation(c byte) bool {
	return c > ' ' && c < 0x7F && !isAlphanumeric(c)
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
