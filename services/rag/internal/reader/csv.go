package reader

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// readCSV reads a table of values separated by commas, semicolons, tabs or bars, in UTF-8, UTF-16 with its mark, or, as
// spreadsheets in Spanish still write it, Windows-1252.
func readCSV(ctx context.Context, content []byte, out *markdown) error {
	text, err := decoded(content)
	if err != nil {
		return err
	}
	text, comma := separator(text)
	rows := csv.NewReader(strings.NewReader(text))
	rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord, rows.ReuseRecord = comma, true, -1, true
	table := newTable(out)
	for ctx.Err() == nil {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		table.row(cells)
		if err := out.full(); err != nil {
			return err
		}
	}
	table.close()
	return nil
}

func decoded(content []byte) (string, error) {
	var err error
	switch {
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}), bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		content, err = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(content)
	case !utf8.Valid(content):
		content, err = charmap.Windows1252.NewDecoder().Bytes(content)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if bytes.IndexByte(content, 0) >= 0 {
		return "", fmt.Errorf("%w: it holds zero bytes", ErrUnreadable)
	}
	return strings.TrimPrefix(string(content), "\ufeff"), nil
}

// separator takes the one that a first line "sep=;" names, as spreadsheets write it, else the one that stands most often
// outside quotes in the first line.
func separator(text string) (rest string, comma rune) {
	first, after, _ := strings.Cut(text, "\n")
	if name, ok := strings.CutPrefix(strings.ToLower(strings.TrimRight(first, "\r")), "sep="); ok && len(name) == 1 {
		return after, rune(name[0])
	}
	counts := map[rune]int{}
	quoted := false
	for _, r := range first {
		if r == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[r]++
		}
	}
	comma = ','
	for _, candidate := range ";\t|" {
		if counts[candidate] > counts[comma] {
			comma = candidate
		}
	}
	return text, comma
}
