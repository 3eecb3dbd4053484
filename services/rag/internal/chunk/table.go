package chunk

import (
	"strings"

	extast "github.com/yuin/goldmark/extension/ast"

	"github.com/yuin/goldmark/ast"
)

// maxColumn bounds a column's name, in characters: it is repeated in every row.
const maxColumn = 60

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
		if line := labelled(columns, cells); line != "" {
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

// labelled joins a row's cells with their columns' names; empty cells are left out.
func labelled(columns, cells []string) string {
	var out []string
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		if i < len(columns) && columns[i] != "" {
			cell = shortened(columns[i]) + ": " + cell
		}
		out = append(out, cell)
	}
	return strings.Join(out, "; ")
}

func shortened(column string) string {
	n := 0
	for i := range column {
		if n == maxColumn {
			return column[:i] + "…"
		}
		n++
	}
	return column
}
