package reader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/chunk"
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/reader"
)

func p(text string, properties ...string) string {
	return "<w:p><w:pPr>" + strings.Join(properties, "") + "</w:pPr><w:r><w:t>" + text + "</w:t></w:r></w:p>"
}

func style(id string) string { return `<w:pStyle w:val="` + id + `"/>` }

func cell(text string) string { return "<w:tc>" + p(text) + "</w:tc>" }

const listItem = `<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>`

func TestDOCX(t *testing.T) {
	t.Parallel()

	t.Run("HeadingsListsAndTablesAreKept", func(t *testing.T) {
		t.Parallel()
		got := passages(t, rag.DOCX, filetest.DOCX(t, p("Envíos", style("Ttulo1"))+p("Costos", style("Ttulo2"))+
			p("Depende del <w:t>x</w:t>destino:")+p("Rápido", listItem)+p("Normal", listItem)+
			"<w:tbl><w:tr>"+cell("Destino")+cell("Precio")+"</w:tr><w:tr>"+cell("Cali")+cell("$5")+"</w:tr></w:tbl>"+
			p("Plazos", style("Ttulo2"))+p("Dos días.")))
		require.Len(t, got, 2)
		require.Equal(t, []string{"Costos"}, got[0].HeadingPath[len(got[0].HeadingPath)-1:])
		require.Contains(t, got[0].Text, "destino:\n- Rápido\n- Normal")
		require.Contains(t, got[0].Text, "- Destino: Cali; Precio: $5")
		require.Equal(t, "Dos días.", got[1].Text)
	})

	t.Run("WhatIsNotSeenIsNotRead", func(t *testing.T) {
		t.Parallel()
		got := passages(t, rag.DOCX, filetest.DOCX(t, `<w:p><w:r><w:t>Visto</w:t></w:r>`+
			`<w:r><w:rPr><w:vanish/></w:rPr><w:t>OCULTO</w:t></w:r><w:del><w:r><w:delText>BORRADO</w:delText></w:r></w:del>`+
			`<w:r><w:instrText>HYPERLINK</w:instrText></w:r><w:r><w:tab/><w:t>todo</w:t></w:r>`+
			`<mc:AlternateContent><mc:Choice/><mc:Fallback><w:t>DOBLE</w:t></mc:Fallback></mc:AlternateContent></w:p>`))
		require.Equal(t, []chunk.Passage{{HeadingPath: []string{}, Text: "Visto todo"}}, got)
	})

	t.Run("MarkupInItsTextIsShownAsWritten", func(t *testing.T) {
		t.Parallel()
		got := passages(t, rag.DOCX, filetest.DOCX(t, p("- no es *lista*")+p("1. ni número")+p("# ni título")))
		require.Equal(t, `\- no es \*lista\*`+"\n\n"+`1\. ni número`+"\n\n"+`\# ni título`, got[0].Text)
	})

	t.Run("ATableWithinATableIsText", func(t *testing.T) {
		t.Parallel()
		inner := "<w:tbl><w:tr>" + cell("x") + cell("y") + "</w:tr></w:tbl>"
		got := passages(t, rag.DOCX, filetest.DOCX(t, "<w:tbl><w:tr>"+cell("A")+cell("B")+"</w:tr><w:tr><w:tc>"+inner+"</w:tc>"+cell("z")+"</w:tr></w:tbl>"))
		require.Equal(t, "- A: x y; B: z", got[0].Text)
	})

	t.Run("BrokenOnesFail", func(t *testing.T) {
		t.Parallel()
		for name, content := range map[string][]byte{
			"no archive":  []byte("hola"),
			"no body":     filetest.Zip(t, map[string]string{"a": "b"}),
			"broken XML":  filetest.DOCX(t, "<w:p><w:t>"),
			"entity":      filetest.DOCX(t, "<w:p><w:r><w:t>&lol;</w:t></w:r></w:p>"),
			"too deep":    filetest.DOCX(t, strings.Repeat("<w:p>", 100_000)),
			"old Office":  append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, make([]byte, 600)...),
			"cut":         filetest.DOCX(t, p("hola"))[:200],
			"deep tables": filetest.DOCX(t, strings.Repeat("<w:tbl><w:tr><w:tc>", 200)),
		} {
			require.ErrorIs(t, fails(t, rag.DOCX, content), reader.ErrUnreadable, name)
		}
		require.ErrorIs(t, fails(t, rag.DOCX, filetest.DOCX(t, p(" "))), reader.ErrEmpty)
		require.ErrorIs(t, fails(t, rag.DOCX, filetest.DOCX(t, p(strings.Repeat("texto ", 1_450_000)))), reader.ErrTooLarge)
		require.ErrorIs(t, fails(t, rag.DOCX, filetest.DOCX(t, strings.Repeat(p(strings.Repeat("texto ", 1000)), 1450))), reader.ErrTooLarge)
	})
}
