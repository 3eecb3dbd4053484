package grounding

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// reading is what was found in a text.
type reading struct {
	// marks are the numbers of the sources that it cites.
	marks []string
	facts []fact
}

// Each pattern is looked for in what the ones before it have left.
var (
	citation = regexp.MustCompile(`\[([0-9]{1,3}(?:\s*[,;]\s*[0-9]{1,3})*)\]`)
	links    = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"'()\[\]]+(?:\([^\s<>"'()]*\)[^\s<>"'()\[\]]*)*`)
	emails   = regexp.MustCompile(`(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+`)
	domains  = regexp.MustCompile(`(?i)\b(?:[a-z0-9-]+\.)+(?:com|net|org|info|co|es|mx|ar|cl|pe|br|pt|us|io|app|dev|me|shop|store|online|tienda|example|test)(?:\.[a-z]{2})?\b(?:/[^\s<>"'()\[\]]*)?`)
	phones   = regexp.MustCompile(`\+?\(?[0-9](?:[ ./()-]{0,2}[0-9]){6,}`)
	clocks   = regexp.MustCompile(`\b([0-9]{1,2}):([0-9]{2})\b`)
	codes    = regexp.MustCompile(`\p{L}+(?:-?[0-9]+)+`)
	numbers  = regexp.MustCompile(`[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*`)
	grouped  = regexp.MustCompile(`^[0-9]{1,3}(?: [0-9]{3}|\.[0-9]{3}|,[0-9]{3}|'[0-9]{3})+(?:[.,][0-9]{1,2})?$`)
	listMark = regexp.MustCompile(`^\s*([0-9]{1,2})[.)](?:\s|$)`)
)

// read finds what can be checked.
func read(text string) reading {
	var r reading
	text = withoutListMarks(normalize(text))
	take := func(pattern *regexp.Regexp, accept func(found string) bool) {
		text = pattern.ReplaceAllStringFunc(text, func(found string) string {
			if accept(found) {
				return "\n" // nothing on both sides grows together
			}
			return found
		})
	}
	fact := func(k kind, value func(found string) string) func(string) bool {
		return func(found string) bool {
			r.add(k, value(found), found)
			return true
		}
	}
	take(links, fact(link, address))
	take(emails, fact(email, strings.ToLower))
	take(domains, fact(link, address))
	take(citation, func(found string) bool {
		r.marks = append(r.marks, digitRuns.FindAllString(found, -1)...)
		return true
	})
	take(phones, func(found string) bool {
		if grouped.MatchString(found) {
			return false // an amount
		}
		r.add(phone, digitsOf(found), found)
		return true
	})
	take(clocks, fact(clock, func(found string) string {
		hour, minute, _ := strings.Cut(found, ":")
		return plain(hour) + ":" + minute
	}))
	take(codes, fact(code, func(found string) string { return strings.ToLower(strings.ReplaceAll(found, "-", "")) }))
	take(numbers, fact(number, plain))
	return r
}

func (r *reading) add(k kind, value, written string) {
	r.facts = append(r.facts, fact{kind: k, value: value, written: written})
}

// normalize makes one character of all that look alike: digits of all scripts and widths, spaces and dashes. Accents go, so
// that a code is found however it was typed.
func normalize(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.Is(unicode.Mn, r) || r == '\u00ad' || r == '\u200b' || r == '\u2060' || r == '\ufeff':
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Pd, r) || r == '\u2212':
			return '-'
		case r == '\u2019':
			return '\''
		case r > unicode.MaxASCII && unicode.IsDigit(r):
			return '0' + digit(r)
		}
		return r
	}, norm.NFKD.String(text))
}

// digit returns the value of a decimal digit: in each script they stand in a row that begins with the zero.
func digit(r rune) rune {
	n := rune(0)
	for n < 9 && unicode.IsDigit(r-n-1) {
		n++
	}
	return n
}

// withoutListMarks takes the numbers off that count the lines of a list: 1, 2, 3 and so on. Any other stays.
func withoutListMarks(text string) string {
	var out strings.Builder
	next := 1
	for line := range strings.Lines(text) {
		m := listMark.FindStringSubmatchIndex(line)
		if m != nil {
			switch n, _ := strconv.Atoi(line[m[2]:m[3]]); n {
			case next, 1:
				next = n + 1
				line = line[m[3]+1:]
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

// address makes one of the ways to write a link: without scheme, www, final punctuation and slash.
func address(found string) string {
	found = strings.TrimRight(found, ".,;:!?*_~…")
	lower := strings.ToLower(found)
	for _, prefix := range []string{"https://", "http://", "www."} {
		if strings.HasPrefix(lower, prefix) {
			found, lower = found[len(prefix):], lower[len(prefix):]
		}
	}
	host, path, _ := strings.Cut(found, "/")
	return strings.TrimRight(strings.ToLower(host)+"/"+path, "/")
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// plain writes a number without separators of thousands, with a decimal point, without zeros that say nothing: "1.234,50" is
// "1234.5" and "9.900" is "9900".
func plain(found string) string {
	found = strings.NewReplacer(" ", "", "'", "").Replace(found)
	whole, fraction := found, ""
	if i := strings.LastIndexAny(found, ".,"); i >= 0 {
		mark, before := found[i:i+1], found[:i]
		thousands := len(found)-i-1 == 3 && len(before) <= 3 && before != "0" || strings.Contains(before, mark)
		if !thousands {
			whole, fraction = before, strings.TrimRight(found[i+1:], "0")
		}
	}
	whole = strings.TrimLeft(digitsOf(whole), "0")
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}
