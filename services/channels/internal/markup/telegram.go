package markup

import (
	"slices"
	"strings"
)

// writeTelegram writes runs as Telegram HTML: only the tags of "HTML style" in the Bot API documentation (10.1, read
// 2026-11-23), each closed in the message that opened it, everything else escaped.
func writeTelegram(runs []run) string {
	shown := slices.DeleteFunc(slices.Clone(runs), func(r run) bool { return r.style&target != 0 })
	if blank(writePlain(shown)) {
		return escapeHTML(writePlain(runs)) // nothing but link targets: better shown than an empty message
	}
	w := htmlWriter{}
	for _, r := range shown {
		w.write(r)
	}
	w.retag(nil)
	return w.b.String()
}

// htmlWriter keeps a stack of open tags.
type htmlWriter struct {
	b    strings.Builder
	open []tag
}

// tag is an element; two are the same if they look the same.
type tag struct{ name, href string }

func (w *htmlWriter) write(r run) {
	w.retag(tags(r))
	w.b.WriteString(escapeHTML(r.text))
}

// retag closes and opens tags until exactly the wanted ones are open.
func (w *htmlWriter) retag(want []tag) {
	keep := 0
	for keep < len(want) && keep < len(w.open) && want[keep] == w.open[keep] {
		keep++
	}
	for i := len(w.open) - 1; i >= keep; i-- {
		w.b.WriteString("</" + w.open[i].name + ">")
	}
	for _, t := range want[keep:] {
		w.b.WriteString("<" + t.name)
		if t.href != "" {
			w.b.WriteString(` href="` + escapeHTML(t.href) + `"`)
		}
		w.b.WriteString(">")
	}
	w.open = want
}

// tags returns the elements of a run, outermost first, always in the same order.
func tags(r run) []tag {
	var out []tag
	if r.style&quote != 0 {
		out = append(out, tag{name: "blockquote"})
	}
	if r.link != "" {
		out = append(out, tag{name: "a", href: r.link})
	}
	for _, mark := range [...]struct {
		style style
		name  string
	}{{bold, "b"}, {italic, "i"}, {strike, "s"}, {code, "code"}, {pre, "pre"}} {
		if r.style&mark.style != 0 {
			out = append(out, tag{name: mark.name})
		}
	}
	return out
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
