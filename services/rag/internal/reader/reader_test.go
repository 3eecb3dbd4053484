package reader_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/chunk"
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/reader"
)

// passages are what a file is found by.
func passages(t *testing.T, kind rag.ContentType, content []byte) []chunk.Passage {
	t.Helper()
	r := reader.New("")
	t.Cleanup(r.Close)
	return passagesBy(t, r, kind, content)
}

func passagesBy(t *testing.T, r *reader.Reader, kind rag.ContentType, content []byte) []chunk.Passage {
	t.Helper()
	text, err := r.Read(t.Context(), kind, content)
	require.NoError(t, err)
	outline, err := chunk.Split(chunk.Source{Name: "x", Type: text.Type, Content: text.Content})
	require.NoError(t, err)
	return outline.Passages
}

func fails(t *testing.T, kind rag.ContentType, content []byte) error {
	t.Helper()
	r := reader.New("")
	t.Cleanup(r.Close)
	_, err := r.Read(t.Context(), kind, content)
	require.Error(t, err)
	return err
}

func TestCSV(t *testing.T) {
	t.Parallel()

	t.Run("RowsStandWithTheirHeader", func(t *testing.T) {
		t.Parallel()
		for name, content := range map[string]string{
			"commas":      "Destino,Precio\nBogotá,\"$7.900\"\nCali,$9.100\n",
			"semicolons":  "Destino;Precio\r\nBogotá;$7.900\r\nCali;$9.100\r\n",
			"tabs":        "Destino\tPrecio\nBogotá\t$7.900\nCali\t$9.100",
			"sep":         "sep=|\nDestino|Precio\nBogotá|$7.900\nCali|$9.100",
			"mark":        "\ufeffDestino,Precio\nBogotá,$7.900\nCali,$9.100",
			"Windows":     "Destino;Precio\nBogot\xe1;$7.900\nCali;$9.100",
			"UTF-16":      utf16("Destino,Precio\nBogotá,$7.900\nCali,$9.100"),
			"with a name": "Tarifas\n\nDestino,Precio\nBogotá,$7.900\nCali,$9.100",
		} {
			got := passages(t, rag.CSV, []byte(content))
			require.Len(t, got, 1, name)
			require.Equal(t, "- Destino: Bogotá; Precio: $7.900\n- Destino: Cali; Precio: $9.100",
				strings.TrimSpace(strings.TrimPrefix(got[0].Text, "Tarifas")), name)
		}
	})

	t.Run("QuestionsAndAnswersAreOnePassageEach", func(t *testing.T) {
		t.Parallel()
		got := passages(t, rag.CSV, []byte("id;Pregunta;Respuesta\n1;¿Abren los domingos?;\"No.\nLunes a sábado:\n- 9 a 18\"\n2;¿Hay C#?;Sí, *siempre*\n3;¿Sin respuesta?;\n"))
		require.Equal(t, []chunk.Passage{
			{HeadingPath: []string{"¿Abren los domingos?"}, Text: "No.\n\nLunes a sábado:\n- 9 a 18"},
			{HeadingPath: []string{"¿Hay C ?"}, Text: `Sí, \*siempre\*`},
		}, got)
	})

	t.Run("ALongQuestionIsKeptWhole", func(t *testing.T) {
		t.Parallel()
		question := strings.Repeat("palabra ", 60) + "final?"
		got := passages(t, rag.CSV, []byte("question,answer\n"+question+",sí\n"))
		require.Len(t, got, 1)
		require.Equal(t, question+"\n\nsí", got[0].Text)
	})

	t.Run("ASingleColumnIsText", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "Uno.\n\nDos.", passages(t, rag.CSV, []byte("Uno.\nDos.\n"))[0].Text)
	})

	t.Run("AHeaderAloneIsText", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "Horario; 9 a 18", passages(t, rag.CSV, []byte("Horario,9 a 18"))[0].Text)
	})

	t.Run("WhatIsNoTextFails", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, fails(t, rag.CSV, []byte("a,b\n\x00,c")), reader.ErrUnreadable)
		require.ErrorIs(t, fails(t, rag.CSV, []byte(" \n , \n")), reader.ErrEmpty)
		require.ErrorIs(t, fails(t, rag.CSV, []byte("a,b\n"+strings.Repeat(strings.Repeat("x", 99)+",y\n", 90_000))), reader.ErrTooLarge)
	})

	t.Run("HugeCellsAndRowsAreBounded", func(t *testing.T) {
		t.Parallel()
		for _, content := range []string{
			"a,b\n" + strings.Repeat("x", 2<<20) + ",y",
			"a,b\n" + strings.Repeat(",", 2<<20),
			strings.Repeat("columna,", 100_000) + "\n" + strings.Repeat("1,", 100_000),
			"a,b\n\"" + strings.Repeat("sin cierre\n", 100_000),
		} {
			for _, p := range passages(t, rag.CSV, []byte(content)) {
				require.Less(t, len(p.Text), 5_000)
			}
		}
	})
}

func utf16(s string) string {
	out := []byte{0xff, 0xfe}
	for _, r := range s {
		out = append(out, byte(r), byte(r>>8))
	}
	return string(out)
}

func TestQuestionsAndAnswers(t *testing.T) {
	t.Parallel()
	want := []chunk.Passage{
		{HeadingPath: []string{"¿A?"}, Text: "Uno"},
		{HeadingPath: []string{"¿B?"}, Text: "Dos"},
	}
	for name, content := range map[string]string{
		"array": `[{"question": "¿A?", "answer": "Uno"}, {"pregunta": "¿B?", "respuesta": "Dos", "otro": [1]}]`,
		"lines": "{\"question\": \"¿A?\", \"answer\": \"Uno\"}\n{\"Pregunta\": \"¿B?\", \"Respuesta\": \"Dos\"}\n",
	} {
		require.Equal(t, want, passages(t, rag.QuestionsAndAnswers, []byte(content)), name)
	}
	for _, content := range []string{
		"[", `[{"question": "¿A?"}]`, `{"a": `, `"x"`, "[1]", `[{"question":"a","answer":"b"}`,
		strings.Repeat("[", 1_000_000), `[{"question": ` + strings.Repeat("[", 1_000_000) + "}]", "\xff",
	} {
		require.ErrorIs(t, fails(t, rag.QuestionsAndAnswers, []byte(content)), reader.ErrUnreadable)
	}
	require.ErrorIs(t, fails(t, rag.QuestionsAndAnswers, []byte("[]")), reader.ErrEmpty)
}

func TestXLSX(t *testing.T) {
	t.Parallel()

	t.Run("SheetsAreTables", func(t *testing.T) {
		t.Parallel()
		got := passages(t, rag.XLSX, filetest.XLSX(t, []any{"Tarifas 2026"}, []any{}, []any{"Destino", "Precio"},
			[]any{"Bogotá", 7900}, []any{"Cali", 9100.5}))
		require.Equal(t, []chunk.Passage{{
			HeadingPath: []string{"Hoja1"},
			Text:        "Tarifas 2026\n\n- Destino: Bogotá; Precio: 7900\n- Destino: Cali; Precio: 9100.5",
		}}, got)
	})

	t.Run("QuestionsAndAnswersArePassages", func(t *testing.T) {
		t.Parallel()
		got := passages(t, rag.XLSX, filetest.XLSX(t, []any{"Pregunta", "Respuesta"}, []any{"¿Abren?", "Sí"}))
		require.Len(t, got, 1)
		require.Equal(t, "Sí", got[0].Text)
		require.Contains(t, got[0].HeadingPath, "¿Abren?")
	})

	t.Run("BrokenOnesFail", func(t *testing.T) {
		t.Parallel()
		whole := filetest.XLSX(t, []any{"a", "b"})
		require.ErrorIs(t, fails(t, rag.XLSX, whole[:len(whole)/2]), reader.ErrUnreadable)
		require.ErrorIs(t, fails(t, rag.XLSX, []byte("no")), reader.ErrUnreadable)
		require.ErrorIs(t, fails(t, rag.XLSX, filetest.Zip(t, map[string]string{"a": "b"})), reader.ErrUnreadable)
		require.ErrorIs(t, fails(t, rag.XLSX, filetest.EncryptedXLSX(t)), reader.ErrEncrypted)
		require.ErrorIs(t, fails(t, rag.XLSX, filetest.XLSX(t)), reader.ErrEmpty)
	})

	t.Run("BombsAreBounded", func(t *testing.T) {
		t.Parallel()
		bomb := filetest.Bomb(t)
		require.Less(t, len(bomb), 4<<20)
		require.ErrorIs(t, fails(t, rag.XLSX, bomb), reader.ErrTooLarge)
	})
}

func TestReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := reader.New("")
	t.Cleanup(r.Close)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for kind, content := range map[rag.ContentType][]byte{
		rag.CSV:  []byte("a,b\nc,d"),
		rag.DOCX: filetest.DOCX(t, "<w:p/>"),
		rag.XLSX: filetest.XLSX(t, []any{"a", "b"}),
		rag.PDF:  filetest.PDF([]string{"a"}),
	} {
		_, err := r.Read(ctx, kind, content)
		require.ErrorIs(t, err, context.Canceled, kind)
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		given   rag.ContentType
		name    string
		content string
		want    rag.ContentType
	}{
		{"text/csv; charset=utf-8", "a.pdf", "%PDF-", rag.CSV},
		{"Application/PDF", "a", "", rag.PDF},
		{"application/octet-stream", "a.DOCX", "", rag.DOCX},
		{"", "a.xlsx", "", rag.XLSX},
		{"", "a.b/faq.jsonl", "", rag.QuestionsAndAnswers},
		{"", "a", "\n%PDF-1.7", rag.PDF},
		{"", "a.bin", string(filetest.DOCX(t, "")), rag.DOCX},
		{"", "", string(filetest.XLSX(t)), rag.XLSX},
		{"", "a", "\ufeff <!DOCTYPE HTML>", rag.HTML},
		{"", "a", "Hola", rag.PlainText},
	} {
		got, known := reader.Kind(c.given, c.name, []byte(c.content))
		require.True(t, known, c)
		require.Equal(t, c.want, got, c)
	}
	for _, c := range [][3]string{
		{"application/zip", "a.md", ""}, {"", "a", string(filetest.Zip(t, map[string]string{"a": "b"}))}, {"image/png", "", ""},
	} {
		_, known := reader.Kind(rag.ContentType(c[0]), c[1], []byte(c[2]))
		require.False(t, known, c[0])
	}
}

func TestManyRowsAreReadInTime(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	rows.WriteString("pregunta,respuesta\n")
	for i := range 10_000 {
		fmt.Fprintf(&rows, "¿Pregunta %d?,Respuesta número %d.\n", i, i)
	}
	require.Len(t, passages(t, rag.CSV, []byte(rows.String())), 10_000)
}
