package chunk

import (
	"strings"

	extast "github.com/yuin/goldmark/extension/ast"

	"github.com/yuin/goldmark/ast"

	"github.com/knobot/knobot/services/rag/internal/commonmark"
)

// table makes a list item of each row, every cell under its column's name, so that a row stands by itself and chats
// without tables show it well: "- Destino: Bogotá; Hasta 5 kg: $7.900".
func (w *walker) table(table *extast.Table) {
	var columns []string
	join := newParagraph
	if w.introduced() {
		join = sameList
	}
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		cells := w.cells(row)
		if _, ok := row.(*extast.TableHeader); ok {
			columns = cells
			continue
		}
		if line := commonmark.Row(columns, cells); line != "" {
			w.atoms = append(w.atoms, newAtoms("- "+line, join)...)
			join = sameList
		}
	}
}

func (w *walker) cells(row ast.Node) []string {
	var out []string
	for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
		out = append(out, strings.ReplaceAll(w.text(cell), `\|`, "|"))
	}
	return out
}
