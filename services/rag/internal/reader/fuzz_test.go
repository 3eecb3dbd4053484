package reader_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/reader"
)

// read reads a stranger's file: it becomes text that can be stored, or is refused with a reason.
func read(t *testing.T, kind rag.ContentType, content []byte) {
	t.Helper()
	r := reader.New("")
	defer r.Close()
	text, err := r.Read(t.Context(), kind, content)
	if err != nil {
		for _, reason := range []error{reader.ErrUnreadable, reader.ErrTooLarge, reader.ErrEncrypted, reader.ErrEmpty} {
			if errors.Is(err, reason) {
				return
			}
		}
		require.NoError(t, err, "what is wrong with a file has a reason")
	}
	require.True(t, utf8.Valid(text.Content))
	require.NotEmpty(t, strings.TrimSpace(string(text.Content)))
	require.LessOrEqual(t, len(text.Content), 16<<20)
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a;b\n\"x\ny\";2\n", "\xff\xfea\x00,\x00", "a\tb\n1\t2\n", `"`, "a,b\n" + strings.Repeat("x,", 100)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) { read(t, rag.CSV, content) })
}

func FuzzPairs(f *testing.F) {
	for _, seed := range []string{`[{"question":"¿a?","answer":"b"}]`, "{\"q\":\"a\",\"a\":\"b\"}\n{\"q\":1}", `{"question":{"a":[]}}`, `[`, `[[[[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) { read(t, rag.QuestionsAndAnswers, content) })
}

// FuzzDOCX varies the body of a document: as an archive hardly any input would be one.
func FuzzDOCX(f *testing.F) {
	for _, seed := range []string{
		`<w:p><w:r><w:t>Hola</w:t></w:r></w:p>`, `<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>`,
		`<w:p><w:pPr><w:pStyle w:val="Heading1"/><w:numPr><w:ilvl w:val="99"/></w:numPr></w:pPr></w:p>`, `<w:p>`, `</w:p>`, `&#0;`, strings.Repeat(`<w:tbl>`, 50),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) { read(t, rag.DOCX, filetest.DOCX(t, body)) })
}

// FuzzArchive varies the bytes of whole archives.
func FuzzArchive(f *testing.F) {
	f.Add(filetest.DOCX(f, `<w:p><w:r><w:t>Hola</w:t></w:r></w:p>`))
	f.Add(filetest.XLSX(f, []any{"a", "b"}, []any{1, 2.5}))
	f.Add(filetest.EncryptedXLSX(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		_, _ = reader.Kind("", "", content)
		read(t, rag.DOCX, content)
		read(t, rag.XLSX, content)
	})
}
