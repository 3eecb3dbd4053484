// Package present shows what a server answered: as a table to people, as JSON or YAML to programs.
package present

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"
)

// Format is how answers are shown.
type Format string

// The formats.
const (
	AsTable Format = "table"
	AsJSON  Format = "json"
	AsYAML  Format = "yaml"
)

// Table is lines of equal columns.
type Table struct {
	Header []string
	Rows   [][]string
}

// Add appends a line; an empty cell becomes a dash.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = oneLine(fmt.Sprint(c))
		if row[i] == "" {
			row[i] = "-"
		}
	}
	t.Rows = append(t.Rows, row)
}

// Write writes a message in JSON or YAML, unset fields too, as REST does, or else the table.
func Write(out io.Writer, format Format, message proto.Message, table func() Table, colour bool) error {
	if format == AsTable {
		return table().write(out, colour)
	}
	text, err := protojson.MarshalOptions{EmitDefaultValues: true, Multiline: format == AsJSON}.Marshal(message)
	if err == nil && format == AsYAML {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, strings.TrimRight(string(text), "\n"))
	return err
}

// gap stands between columns.
const gap = "  "

func (t Table) write(out io.Writer, colour bool) error {
	widths := make([]int, len(t.Header))
	lines := append([][]string{t.Header}, t.Rows...)
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, line := range lines {
		for i, cell := range line {
			padding := widths[i] - utf8.RuneCountInString(cell)
			if i == len(line)-1 {
				padding = 0
			} else {
				padding += len(gap)
			}
			if colour {
				cell = tinted(cell)
			}
			text.WriteString(cell + strings.Repeat(" ", padding))
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// Colours of ECMA-48.
const (
	red, green, yellow = "\x1b[31m", "\x1b[32m", "\x1b[33m"
	plain              = "\x1b[0m"
)

// tinted colours a word that says how things are.
func tinted(cell string) string {
	switch cell {
	case "dead", "failed", "stopped", "rejected", "revoked", "expired":
		return red + cell + plain
	case "enabled", "active", "answered", "sent", "ok", "delivered", "read":
		return green + cell + plain
	case "incomplete", "held", "paused", "warning", "disabled", "sending", "open":
		return yellow + cell + plain
	}
	return cell
}

// oneLine keeps what others wrote from writing to the terminal anything but letters.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
