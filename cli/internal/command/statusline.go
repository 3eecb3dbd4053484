package command

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// statusLine is a line that says how something is going, and at last how it went. On a terminal it changes in place; a
// file or a pipe gets the last word only.
type statusLine struct {
	out    io.Writer
	prefix string
	live   bool
	shown  int
}

func newStatusLine(out io.Writer, prefix string) *statusLine {
	return &statusLine{out: out, prefix: prefix, live: isTerminal(out)}
}

// show replaces what was shown before.
func (l *statusLine) show(note string) {
	if l.live {
		l.write(note)
	}
}

// end shows the last word.
func (l *statusLine) end(note string) {
	l.write(note)
	fmt.Fprintln(l.out)
}

func (l *statusLine) write(note string) {
	line := l.prefix + note
	start := ""
	if l.shown > 0 {
		start = "\r"
	}
	fmt.Fprint(l.out, start, line, strings.Repeat(" ", max(0, l.shown-len(line))))
	l.shown = len(line)
}

// barWidth is how many characters a bar has.
const barWidth = 20

// bar shows how much of something is done.
func bar(done, total int64) string {
	filled := 0
	if total > 0 {
		filled = int(min(done, total) * barWidth / total)
	}
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", barWidth-filled) + "]"
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
