// Package filetest makes small files of every kind for tests: whole ones, and broken ones.
package filetest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// PDF returns a PDF whose pages hold these lines each, in the order given.
func PDF(pages ...[]string) []byte { return pdf("", pages) }

// EncryptedPDF returns a PDF that asks for a password.
func EncryptedPDF() []byte {
	zeros := strings.Repeat("00", 32)
	return pdf("/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <"+zeros+"> /U <"+zeros+"> >> /ID [<00> <00>]",
		[][]string{{"secreto"}})
}

func pdf(trailer string, pages [][]string) []byte {
	var out bytes.Buffer
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	out.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	kids := make([]string, len(pages))
	for i := range pages {
		kids[i] = fmt.Sprintf("%d 0 R", 4+2*i)
	}
	object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages)))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	for i, lines := range pages {
		var text strings.Builder
		text.WriteString("BT /F1 11 Tf 50 780 Td 14 TL\n")
		for _, line := range lines {
			fmt.Fprintf(&text, "(%s) Tj T*\n", winAnsi(line))
		}
		text.WriteString("ET")
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>", 5+2*i))
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String()))
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, trailer, start)
	return out.Bytes()
}

// winAnsi writes text in a PDF's string: Latin letters only.
func winAnsi(text string) string {
	var out strings.Builder
	for _, r := range text {
		if strings.ContainsRune(`()\`, r) {
			out.WriteByte('\\')
		}
		out.WriteByte(byte(r))
	}
	return out.String()
}

// Zip returns an archive of these files.
func Zip(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, content := range files {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Bomb returns a small archive with the parts of a workbook, one of which unpacks to 300 MiB.
func Bomb(t testing.TB) []byte {
	t.Helper()
	var packed, out bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.BestSpeed)
	require.NoError(t, err)
	zeros := make([]byte, 1<<20)
	sum := crc32.NewIEEE()
	const pieces = 300
	for range pieces {
		_, _ = sum.Write(zeros)
		_, err := deflate.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, deflate.Close())
	w := zip.NewWriter(&out)
	_, err = w.Create("xl/workbook.xml")
	require.NoError(t, err)
	f, err := w.CreateRaw(&zip.FileHeader{
		Name: "xl/bomb.xml", Method: zip.Deflate, CRC32: sum.Sum32(),
		CompressedSize64: uint64(packed.Len()), UncompressedSize64: pieces << 20,
	})
	require.NoError(t, err)
	_, err = f.Write(packed.Bytes())
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// DOCX returns a DOCX whose body is this, with the styles Ttulo1 (heading 1), Ttulo2 (heading 2) and Normal.
func DOCX(t testing.TB, body string) []byte {
	t.Helper()
	const space = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"`
	return Zip(t, map[string]string{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"word/document.xml":   `<?xml version="1.0" encoding="UTF-8"?><w:document ` + space + `><w:body>` + body + `</w:body></w:document>`,
		"word/styles.xml": `<w:styles ` + space + `>
			<w:style w:type="paragraph" w:styleId="Normal"><w:name w:val="Normal"/></w:style>
			<w:style w:type="paragraph" w:styleId="Ttulo1"><w:name w:val="heading 1"/></w:style>
			<w:style w:type="paragraph" w:styleId="Ttulo2"><w:name w:val="heading 2"/></w:style></w:styles>`,
	})
}

// XLSX returns a workbook with these rows in its first sheet, named "Hoja1".
func XLSX(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	return workbook(t, excelize.Options{}, rows)
}

// EncryptedXLSX returns one that asks for a password.
func EncryptedXLSX(t testing.TB) []byte {
	t.Helper()
	return workbook(t, excelize.Options{Password: "clave"}, [][]any{{"a", "b"}})
}

func workbook(t testing.TB, o excelize.Options, rows [][]any) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer func() { require.NoError(t, book.Close()) }()
	require.NoError(t, book.SetSheetName("Sheet1", "Hoja1"))
	for i, row := range rows {
		require.NoError(t, book.SetSheetRow("Hoja1", fmt.Sprintf("A%d", i+1), &row))
	}
	var out bytes.Buffer
	require.NoError(t, book.Write(&out, o))
	return out.Bytes()
}

// CacheDir is where tests keep the compiled reader of PDFs, also from run to run: compiling takes seconds, and a minute with
// the race detector. It is empty, for no folder, where the user has none for caches.
func CacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "knobot-test")
}
