package markup

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// parseTelegramHTML is a strict reader of Telegram's HTML, written from the Bot API's page and independent of our writer. It
// returns the text that a customer sees.
func parseTelegramHTML(s string) (string, error) {
	var visible strings.Builder
	var open []string
	for len(s) > 0 {
		token := htmlToken(s)
		s = s[len(token):]
		switch {
		case token[0] == '>':
			return "", errors.New("bare >")
		case token[0] == '&':
			if !slices.Contains([]string{"&amp;", "&lt;", "&gt;", "&quot;"}, token) {
				return "", fmt.Errorf("entity %q", token)
			}
			visible.WriteString(html.UnescapeString(token))
		case strings.HasPrefix(token, "</"):
			if len(open) == 0 || "</"+open[len(open)-1]+">" != token {
				return "", fmt.Errorf("%s closes %v", token, open)
			}
			open = open[:len(open)-1]
		case token[0] == '<':
			name, err := openTag(token, open)
			if err != nil {
				return "", err
			}
			open = append(open, name)
		default:
			visible.WriteString(token)
		}
	}
	if len(open) > 0 {
		return "", fmt.Errorf("left open: %v", open)
	}
	return visible.String(), nil
}

// htmlToken returns the tag, the entity or the text at the start of s.
func htmlToken(s string) string {
	switch s[0] {
	case '<':
		return s[:min(len(s), strings.IndexByte(s+">", '>')+1)]
	case '&':
		return s[:min(len(s), strings.IndexByte(s+";", ';')+1)]
	case '>':
		return s[:1]
	default:
		if i := strings.IndexAny(s, "<>&"); i >= 0 {
			return s[:i]
		}
		return s
	}
}

func openTag(token string, open []string) (string, error) {
	if slices.Contains(open, "code") || slices.Contains(open, "pre") {
		return "", fmt.Errorf("%s inside code", token)
	}
	name := strings.Trim(token, "<>")
	if href, ok := strings.CutPrefix(name, `a href="`); ok {
		name = "a"
		address, err := url.Parse(html.UnescapeString(strings.TrimSuffix(href, `"`)))
		if err != nil || !slices.Contains([]string{"http", "https", "tg", "mailto", "tel"}, strings.ToLower(address.Scheme)) {
			return "", fmt.Errorf("link %s", token)
		}
	}
	if !slices.Contains([]string{"b", "i", "s", "code", "pre", "blockquote", "a"}, name) {
		return "", fmt.Errorf("tag %s", token)
	}
	if slices.Contains(open, name) {
		return "", fmt.Errorf("%s inside itself", token)
	}
	return name, nil
}

// readWhatsApp models what a WhatsApp client shows: marks that work disappear, all else stays.
func readWhatsApp(s string) string {
	block := regexp.MustCompile("(?s)```(.+?)```")
	var b strings.Builder
	for {
		m := block.FindStringSubmatchIndex(s)
		if m == nil {
			return b.String() + readWhatsAppLines(s)
		}
		b.WriteString(readWhatsAppLines(s[:m[0]]))
		b.WriteString(s[m[2]:m[3]])
		s = s[m[1]:]
	}
}

func readWhatsAppLines(s string) string {
	inlineCode := regexp.MustCompile("`([^`]+)`")
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		line = strings.TrimPrefix(line, "> ")
		var b strings.Builder
		for {
			m := inlineCode.FindStringSubmatchIndex(line)
			if m == nil {
				break
			}
			// What stands around code is read with a letter-free placeholder, so that marks see their neighbours.
			b.WriteString(line[:m[0]] + "\uE000" + strings.NewReplacer("*", "\uE001", "_", "\uE002", "~", "\uE003").Replace(line[m[2]:m[3]]) + "\uE000")
			line = line[m[1]:]
		}
		line = b.String() + line
		for _, mark := range "*_~" {
			line = unmark(line, mark)
		}
		lines[i] = strings.NewReplacer("\uE000", "", "\uE001", "*", "\uE002", "_", "\uE003", "~").Replace(line)
	}
	return strings.Join(lines, "\n")
}

// unmark removes the pairs of one mark that work: outside no letter or digit, inside no white space.
func unmark(line string, mark rune) string {
	rs := []rune(line)
	at := func(i int) rune {
		if i < 0 || i >= len(rs) {
			return ' '
		}
		return rs[i]
	}
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
	var out []rune
	for i := 0; i < len(rs); i++ {
		end := -1
		if rs[i] == mark && !letter(at(i-1)) && !unicode.IsSpace(at(i+1)) {
			for j := i + 2; j < len(rs) && end < 0; j++ {
				if rs[j] == mark && !unicode.IsSpace(at(j-1)) && !letter(at(j+1)) {
					end = j
				}
			}
		}
		if end < 0 {
			out = append(out, rs[i])
			continue
		}
		out = append(out, rs[i+1:end]...)
		i = end
	}
	return string(out)
}

// squeeze removes white space, which a cut may swallow.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
