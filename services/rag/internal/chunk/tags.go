package chunk

import (
	"strings"

	"golang.org/x/net/html"
	tag "golang.org/x/net/html/atom"
)

// withoutTags removes HTML from Markdown's text: of what a browser would show the tags alone, of what it would not show
// (comments, scripts, hidden elements) everything. Addresses in angle brackets stay.
func withoutTags(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	var out strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(s))
	unseen := unseenElement{}
	for {
		kind := tokens.Next()
		raw := string(tokens.Raw())
		if kind == html.ErrorToken {
			if unseen.depth == 0 {
				out.WriteString(raw)
			}
			return out.String()
		}
		if unseen.skips(kind, tokens.Token()) {
			continue
		}
		switch {
		case kind == html.TextToken || isAutolink(raw):
			out.WriteString(raw)
		default:
			out.WriteByte(' ')
		}
	}
}

// isAutolink knows <https://…> and <mail@…>, which the tokenizer takes for tags.
func isAutolink(raw string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(raw, "<"), " ")
	return !strings.HasPrefix(raw, "<!") && strings.ContainsAny(name, ":@")
}

// unseenElement is the element that is being left out, with how many of its name are open within.
type unseenElement struct {
	name  string
	depth int
}

// skips takes the next token and tells whether it belongs to what is left out.
func (u *unseenElement) skips(kind html.TokenType, t html.Token) bool {
	switch {
	case u.depth == 0:
		node := &html.Node{DataAtom: t.DataAtom, Attr: t.Attr}
		if kind == html.StartTagToken && !isVoid(t.DataAtom) && isUnseen(node) {
			u.name, u.depth = t.Data, 1
			return true
		}
		return kind == html.CommentToken
	case kind == html.StartTagToken && t.Data == u.name:
		u.depth++
	case kind == html.EndTagToken && t.Data == u.name:
		u.depth--
	}
	return true
}

// isVoid knows the elements that have no end.
func isVoid(a tag.Atom) bool {
	switch a {
	case tag.Area, tag.Base, tag.Br, tag.Col, tag.Embed, tag.Hr, tag.Img, tag.Input, tag.Link, tag.Meta, tag.Source, tag.Track, tag.Wbr:
		return true
	}
	return false
}
