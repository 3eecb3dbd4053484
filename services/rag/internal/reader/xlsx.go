package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/xuri/excelize/v2"

	"github.com/knobot/knobot/services/rag/internal/commonmark"
)

const (
	// xlsxBook is the part of an XLSX that lists its sheets.
	xlsxBook = "xl/workbook.xml"
	// maxSheetInMemory is from where on a sheet is unpacked into a temporary file, in bytes.
	maxSheetInMemory = 16 << 20
	// maxRows bounds the rows of a sheet, empty ones included.
	maxRows = 200_000
)

// readXLSX reads the visible sheets of an XLSX, each as a table under its name: cells as they are shown, formulas by the
// value that was last calculated.
func readXLSX(ctx context.Context, content []byte, out *markdown) (err error) {
	if _, err := openZip(content); err != nil {
		return err
	}
	defer func() { // the library has met files that it breaks on
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: panic: %v", ErrUnreadable, p)
		}
	}()
	book, err := excelize.OpenReader(bytes.NewReader(content),
		excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxSheetInMemory})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	defer func() { _ = book.Close() }()
	for _, name := range book.GetSheetList() {
		if visible, err := book.GetSheetVisible(name); err != nil || !visible {
			continue
		}
		if err := readSheet(ctx, book, name, out); err != nil {
			return err
		}
	}
	return nil
}

func readSheet(ctx context.Context, book *excelize.File, name string, out *markdown) error {
	rows, err := book.Rows(name)
	if err != nil {
		if missing := (excelize.ErrSheetNotExist{}); errors.As(err, &missing) {
			return nil // a sheet of charts
		}
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	defer func() { _ = rows.Close() }()
	out.headed(commonmark.Heading(2, name))
	table := newTable(out)
	for n := 0; rows.Next(); n++ {
		if err := errors.Join(ctx.Err(), out.full()); err != nil {
			return err
		}
		if n == maxRows {
			return ErrTooLarge
		}
		cells, err := rows.Columns()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		if rows.GetRowOpts().Hidden {
			continue
		}
		table.row(cells)
	}
	table.close()
	if err := rows.Error(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}
