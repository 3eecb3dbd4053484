package markup

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// table writes a table as a list: one item per row, "header: cell" on each of its lines. Neither platform has tables, and
// columns of text do not line up on a telephone.
func (f *flattener) table(n *extast.Table) {
	var header ast.Node
	rows := 0
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		if _, ok := row.(*extast.TableHeader); ok {
			header = row
			continue
		}
		rows++
		f.builder.block(1)
		f.row(header, row)
	}
	if rows == 0 && header != nil {
		f.headerLine(header)
	}
}

// row writes one row as a list item.
func (f *flattener) row(header, row ast.Node) {
	outer := f.indent
	f.marker, f.indent = f.marker+outer+"• ", outer+"  "
	var name ast.Node
	if header != nil {
		name = header.FirstChild()
	}
	for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
		f.builder.block(1)
		f.cell(name, cell)
		if name != nil {
			name = name.NextSibling()
		}
	}
	f.indent, f.marker = outer, ""
}

// cell writes "header: cell", or what there is of it.
func (f *flattener) cell(name, cell ast.Node) {
	if name != nil && name.HasChildren() {
		f.styled(bold, name)
		if !strings.HasSuffix(strings.TrimSpace(f.label(name)), ":") {
			f.write(":", f.style|bold, "")
		}
		f.write(" ", f.style, "")
		if !cell.HasChildren() {
			f.write("—", f.style, "")
		}
	}
	f.inlines(cell)
}

// headerLine writes the header of a table without rows.
func (f *flattener) headerLine(header ast.Node) {
	for cell := header.FirstChild(); cell != nil; cell = cell.NextSibling() {
		f.styled(bold, cell)
		if cell.NextSibling() != nil {
			f.write(" · ", f.style, "")
		}
	}
}
