package reader

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/knobot/knobot/services/rag/internal/commonmark"
)

// maxColumns bounds a row: what stands further right is nobody's answer.
const maxColumns = 256

// table writes rows as they come. The first row with two cells or more names the columns; a row of one cell before it, or
// after an empty row, is a title, and the row after it names columns anew. A table with a column of questions and one of
// answers is pairs: its other columns are not read.
type table struct {
	out              *markdown
	columns          []string
	question, answer int
	blank            bool
	listed           bool
}

func newTable(out *markdown) *table { return &table{out: out, blank: true, question: -1, answer: -1} }

// row takes the next row of cells, in plain text.
func (t *table) row(cells []string) {
	cells = slices.Clone(cells[:min(len(cells), maxColumns)])
	filled := 0
	for i, cell := range cells {
		if cells[i] = strings.TrimSpace(cell); cells[i] != "" {
			filled++
		}
	}
	switch {
	case filled == 0:
		t.blank = true
		return
	case filled == 1 && t.blank && t.question < 0:
		t.title(strings.Join(cells, ""))
		return
	case t.columns == nil:
		t.header(cells)
	case t.question >= 0:
		pair(t.out, at(cells, t.question), at(cells, t.answer))
	default:
		t.item(cells)
	}
	t.blank = false
}

// title is a row of its own above a table, or a remark below it.
func (t *table) title(text string) {
	t.close()
	t.out.add(commonmark.Line(text), "\n\n")
	t.columns = nil
}

func (t *table) header(cells []string) {
	t.columns = make([]string, len(cells))
	for i, cell := range cells {
		t.columns[i] = commonmark.Escape(strings.Join(strings.Fields(cell), " "))
	}
	t.question, t.answer = column(cells, questionNames), column(cells, answerNames)
	if t.question < 0 || t.answer < 0 {
		t.question, t.answer = -1, -1
	}
}

func (t *table) item(cells []string) {
	for i, cell := range cells {
		cells[i] = commonmark.Escape(strings.Join(strings.Fields(cell), " "))
	}
	line := commonmark.Row(t.columns, cells)
	if len(t.columns) == 0 || at(t.columns, firstFilled(cells)) == "" {
		line = commonmark.Line(line) // no name stands before it
	}
	t.out.add("- ", line, "\n")
	t.listed = true
}

// close ends the table. Names of columns without any row are content of their own: a list of two columns has no header.
func (t *table) close() {
	if t.listed {
		t.out.add("\n")
	} else if t.columns != nil && t.question < 0 {
		t.out.add(commonmark.Line(commonmark.Row(nil, t.columns)), "\n\n")
	}
	t.listed, t.columns, t.question, t.answer = false, nil, -1, -1
}

func firstFilled(cells []string) int {
	return slices.IndexFunc(cells, func(s string) bool { return s != "" })
}

func at(cells []string, i int) string {
	if i < 0 || i >= len(cells) {
		return ""
	}
	return cells[i]
}

// The names of the columns that make a table pairs, folded.
var (
	questionNames = []string{"question", "questions", "pregunta", "preguntas", "pergunta", "perguntas", "q"}
	answerNames   = []string{"answer", "answers", "respuesta", "respuestas", "resposta", "respostas", "a"}
)

func column(cells, names []string) int {
	return slices.IndexFunc(cells, func(cell string) bool { return slices.Contains(names, folded(cell)) })
}

// folded is a name without case, accents and punctuation around it.
func folded(name string) string {
	plain, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), name)
	if err != nil {
		plain = name
	}
	return strings.ToLower(strings.TrimFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) }))
}

// longQuestion is from where on a question does not fit into a heading, in bytes.
const longQuestion = 180

// pair writes a question as the heading of its answer, which makes them one passage. A pair that lacks either is left out.
func pair(out *markdown, question, answer string) {
	question = strings.Join(strings.Fields(question), " ")
	if question == "" || strings.TrimSpace(answer) == "" {
		return
	}
	out.add(commonmark.Heading(2, question))
	if len(question) > longQuestion {
		out.add(commonmark.Line(question), "\n\n")
	}
	lines(out, answer)
}

// bullets are how people begin the lines of a list.
const bullets = "-*•·–▪◦"

// lines writes plain text of several lines, lists as lists.
func lines(out *markdown, text string) {
	list := false
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		item := strings.TrimLeft(line, bullets)
		if isItem := len(item) < len(line) && strings.HasPrefix(item, " "); isItem {
			out.add("- ", commonmark.Line(item), "\n")
			list = true
			continue
		}
		if list {
			out.add("\n")
		}
		out.add(commonmark.Line(line), "\n\n")
		list = false
	}
	if list {
		out.add("\n")
	}
}
