package chunk

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	tag "golang.org/x/net/html/atom"
)

// readHTML reads what a browser would show of a page, by way of Markdown. The title is the page's, unless a heading of
// level 1 names it.
func readHTML(content string) (title string, sections []section, err error) {
	root, err := html.Parse(strings.NewReader(content))
	if err != nil {
		return "", nil, errors.Join(ErrUnreadable, err)
	}
	pageTitle := clip(oneLine(find(root, tag.Title)))
	spans := maxSpans
	prune(root, &spans)
	markdown, err := newConverter().ConvertNode(root)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	title, sections = readMarkdown(string(markdown))
	return firstOf(title, pageTitle), sections, nil
}

// newConverter makes tables without padding: padded, one wide cell would make every row as wide. Its own escaping is off,
// because it takes time with the square of the text (measured: 16 s for 1 MiB, v2.5.2); prune escapes instead.
func newConverter() *converter.Converter {
	return converter.NewConverter(converter.WithEscapeMode(converter.EscapeModeDisabled), converter.WithPlugins(
		base.NewBasePlugin(),
		commonmark.NewCommonmarkPlugin(commonmark.WithListEndComment(false)),
		table.NewTablePlugin(
			table.WithCellPaddingBehavior(table.CellPaddingBehaviorNone),
			table.WithHeaderPromotion(true),
			table.WithNewlineBehavior(table.NewlineBehaviorPreserve),
			table.WithSkipEmptyRows(true),
		),
	))
}

// find returns the text of the first element of a kind.
func find(node *html.Node, kind tag.Atom) string {
	for n := range node.Descendants() {
		if n.Type == html.ElementNode && n.DataAtom == kind && n.FirstChild != nil {
			return n.FirstChild.Data
		}
	}
	return ""
}

// maxSpans bounds the cells that merged cells of one document stand for: the table plugin writes out every one of them.
const maxSpans = 5_000

// prune removes what a browser does not show, and the page's furniture: menus are on every page and answer nothing. Text
// is escaped on the way, so that it shows as written.
func prune(node *html.Node, spans *int) {
	for child := node.FirstChild; child != nil; {
		next := child.NextSibling
		switch {
		case child.Type == html.CommentNode || (child.Type == html.ElementNode && isUnseen(child)):
			node.RemoveChild(child)
		case child.Type == html.TextNode:
			if !isVerbatim(node) {
				child.Data = pageMarkup.ReplaceAllString(child.Data, `\$0`)
			}
		default:
			child.Attr = withinSpans(child.Attr, spans)
			prune(child, spans)
		}
		child = next
	}
}

// pageMarkup is what needs a backslash in a page's text; the converter writes angle brackets as entities.
var pageMarkup = regexp.MustCompile("^#|[\\\\`*\\[\\]|]|\\b_+\\B|\\B_+\\b")

func isVerbatim(node *html.Node) bool { return node.DataAtom == tag.Code || node.DataAtom == tag.Pre }

// withinSpans drops the attributes of a merged cell that is too large or one too many.
func withinSpans(attrs []html.Attribute, left *int) []html.Attribute {
	cells := 1
	for _, a := range attrs {
		if a.Key == "colspan" || a.Key == "rowspan" {
			n, err := strconv.Atoi(strings.TrimSpace(a.Val))
			if err != nil || n < 1 || n > maxSpans {
				n = maxSpans
			}
			cells *= n
		}
	}
	if cells == 1 {
		return attrs
	}
	if *left -= cells; *left >= 0 {
		return attrs
	}
	return slices.DeleteFunc(attrs, func(a html.Attribute) bool { return a.Key == "colspan" || a.Key == "rowspan" })
}

func isUnseen(node *html.Node) bool {
	switch node.DataAtom {
	case tag.Script, tag.Style, tag.Noscript, tag.Template, tag.Head, tag.Nav, tag.Iframe, tag.Object, tag.Svg,
		tag.Form, tag.Button, tag.Select, tag.Textarea, tag.Img:
		return true
	}
	for _, a := range node.Attr {
		switch value := strings.ToLower(strings.ReplaceAll(a.Val, " ", "")); {
		case a.Key == "hidden", a.Key == "aria-hidden" && value == "true":
			return true
		case a.Key == "style" && (strings.Contains(value, "display:none") || strings.Contains(value, "visibility:hidden") ||
			strings.Contains(value, "font-size:0") || strings.Contains(value, "opacity:0;")):
			return true
		}
	}
	return false
}
