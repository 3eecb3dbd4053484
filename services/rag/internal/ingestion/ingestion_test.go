package ingestion_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

func TestMain(m *testing.M) { os.Exit(ragtest.Run(m)) }

func upload(name, content string) ingestion.Upload {
	return ingestion.Upload{KnowledgeBase: rag.DefaultKnowledgeBase, Name: name, Content: []byte(content)}
}

// texts are what a search for one passage finds.
func texts(t *testing.T, b *ragtest.Bundle, question string) []string {
	t.Helper()
	var out []string
	for _, hit := range b.Search(t, question) {
		out = append(out, hit.Text)
	}
	return out
}

func kbOf(t *testing.T, b *ragtest.Bundle) rag.KnowledgeBaseID {
	t.Helper()
	kb, err := b.Store.KnowledgeBase(t.Context(), rag.DefaultKnowledgeBase)
	require.NoError(t, err)
	return kb.ID
}

func TestDocument(t *testing.T) {
	t.Parallel()

	t.Run("IsFoundAsSoonAsAddReturns", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		doc := b.Add(t, "envios.md", "# Envíos\n\n## Costos\n\nEl envío cuesta $5.")
		require.Equal(t, "Envíos", doc.Title)
		require.Equal(t, rag.Markdown, doc.Type)
		require.Equal(t, 1, doc.Version)
		require.Equal(t, 1, doc.PassageCount)
		hits := b.Search(t, "¿cuánto cuesta el envio?")
		require.Len(t, hits, 1)
		require.Equal(t, "El envío cuesta $5.", hits[0].Text)
		require.Equal(t, doc.ID, hits[0].Document)
		require.Equal(t, "envios.md", hits[0].DocumentName)
		require.Equal(t, []string{"Costos"}, hits[0].HeadingPath)
		require.InDelta(t, 1, hits[0].Coverage, 1e-9)
		require.Positive(t, hits[0].Score)
	})

	t.Run("IsReplacedAtOnce", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		first := b.Add(t, "envios.md", "El envío cuesta $5.")
		second := b.Add(t, "envios.md", "El envío cuesta $7.")
		require.Equal(t, first.ID, second.ID)
		require.Equal(t, 2, second.Version)
		require.Equal(t, []string{"El envío cuesta $7."}, texts(t, b, "costo del envío: cuesta"))
		n, err := b.Index.Count(t.Context(), kbOf(t, b).Tenant(0, b.Index.Spec()))
		require.NoError(t, err)
		require.Equal(t, 1, n, "the old version has left the index")
	})

	t.Run("SameContentIsNoWork", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		first := b.Add(t, "a.md", "El envío cuesta $5.")
		doc, unchanged, err := b.Library.Add(t.Context(), upload("a.md", "El envío cuesta $5."))
		require.NoError(t, err)
		require.True(t, unchanged)
		require.Equal(t, first, doc)
		titled := upload("a.md", "El envío cuesta $5.")
		titled.Title = "Tarifas"
		doc, unchanged, err = b.Library.Add(t.Context(), titled)
		require.NoError(t, err)
		require.False(t, unchanged, "a new title changes what is found and shown")
		require.Equal(t, "Tarifas", doc.Title)
		require.Len(t, texts(t, b, "tarifas"), 1)
	})

	t.Run("IsUnreachableOnceDeleted", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		doc := b.Add(t, "a.md", "El envío cuesta $5.")
		b.Add(t, "b.md", "La garantía dura un año.")
		require.NoError(t, b.Library.Delete(t.Context(), doc.ID))
		require.Empty(t, texts(t, b, "envío"))
		require.Len(t, texts(t, b, "garantía"), 1)
		require.Equal(t, fault.NotFound, fault.KindOf(b.Library.Delete(t.Context(), doc.ID)))
	})

	t.Run("MayHaveNothingToFind", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		doc := b.Add(t, "vacío.txt", "")
		require.Zero(t, doc.PassageCount)
		require.Equal(t, "Vacío", doc.Title)
	})

	t.Run("LargeOneIsIndexedWhole", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		var content strings.Builder
		for i := range 500 {
			content.WriteString("## Sección\n\nTexto de la sección número " + strings.Repeat("x", i%7) + ".\n\n")
		}
		content.WriteString("## Final\n\nLa palabra clave es murciélago.\n")
		doc := b.Add(t, "grande.md", content.String())
		require.Equal(t, 501, doc.PassageCount)
		require.Equal(t, []string{"La palabra clave es murciélago."}, texts(t, b, "murcielago"))
	})
}

func TestUploadIsRefused(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	for reason, change := range map[string]func(*ingestion.Upload){
		"DOCUMENT_NAME":            func(u *ingestion.Upload) { u.Name = strings.Repeat("n", 257) },
		"DOCUMENT_TITLE":           func(u *ingestion.Upload) { u.Title = "a\x00b" },
		"DOCUMENT_SOURCE_URI":      func(u *ingestion.Upload) { u.SourceURI = "javascript:alert(1)" },
		"CONTENT_TOO_LARGE":        func(u *ingestion.Upload) { u.Content = make([]byte, 8<<20+1) },
		"CONTENT_NOT_UTF8":         func(u *ingestion.Upload) { u.Content = []byte("a\xff") },
		"CONTENT_TYPE":             func(u *ingestion.Upload) { u.Type = "application/zip" },
		"CONTENT_UNREADABLE":       func(u *ingestion.Upload) { u.Type, u.Content = rag.HTML, []byte(strings.Repeat("<div>", 2000)) },
		"KNOWLEDGE_BASE_NOT_FOUND": func(u *ingestion.Upload) { u.KnowledgeBase = "otra" },
	} {
		u := upload("a.md", "texto")
		change(&u)
		_, _, err := b.Library.Add(t.Context(), u)
		require.Equal(t, reason, fault.ReasonOf(err), err)
	}
	for _, name := range []string{"", " ", "a\nb", "\x00"} {
		_, _, err := b.Library.Add(t.Context(), upload(name, "texto"))
		require.Equal(t, "DOCUMENT_NAME", fault.ReasonOf(err), "%q", name)
	}
	for _, address := range []string{"ftp://a", "http://", "https://u:p@a.co", "https://a.co/\x00", "a.co", "https://a.co/" + strings.Repeat("x", 2048)} {
		u := upload("a.md", "texto")
		u.SourceURI = address
		_, _, err := b.Library.Add(t.Context(), u)
		require.Equal(t, "DOCUMENT_SOURCE_URI", fault.ReasonOf(err), "%q", address)
	}
}

func TestTypeIsTakenFromTheName(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	for name, want := range map[string]rag.ContentType{
		"a.md": rag.Markdown, "a.MARKDOWN": rag.Markdown, "a.html": rag.HTML, "a.htm": rag.HTML, "a.txt": rag.PlainText, "a": rag.PlainText,
	} {
		require.Equal(t, want, b.Add(t, name, "texto").Type, name)
	}
	u := upload("b.bin", "# T\n\nx")
	u.Type = "Text/Markdown; charset=utf-8"
	doc, _, err := b.Library.Add(t.Context(), u)
	require.NoError(t, err)
	require.Equal(t, rag.Markdown, doc.Type)
}

// flaky is an index of which calls can be made to fail.
type flaky struct {
	*hybrid.Index
	put, deleteVersion, drop error
}

func (f *flaky) Put(ctx context.Context, kb rag.Tenant, entries []weaviate.Entry) error {
	if f.put != nil {
		return f.put
	}
	return f.Index.Put(ctx, kb, entries)
}

func (f *flaky) DeleteVersion(ctx context.Context, kb rag.Tenant, version rag.VersionID) error {
	if f.deleteVersion != nil {
		return f.deleteVersion
	}
	return f.Index.DeleteVersion(ctx, kb, version)
}

func (f *flaky) Drop(ctx context.Context, kb rag.Tenant) error {
	if f.drop != nil {
		return f.drop
	}
	return f.Index.Drop(ctx, kb)
}

func newFlaky(t *testing.T) (*ragtest.Bundle, *flaky) {
	t.Helper()
	b := ragtest.New(t)
	index := &flaky{Index: b.Index}
	b.Library, b.Keeper = ingestion.New(b.Store, index, b.Files, b.Analyzer, zaptest.NewLogger(t))
	b.Searcher = retrieval.New(b.Store, b.Index, b.Keeper, b.Analyzer, zaptest.NewLogger(t))
	return b, index
}

var errAway = errors.Join(weaviate.ErrUnavailable, errors.New("away"))

func TestIndexThatIsAwayChangesNothing(t *testing.T) {
	t.Parallel()
	b, index := newFlaky(t)
	b.Add(t, "a.md", "El envío cuesta $5.")
	index.put = errAway
	_, _, err := b.Library.Add(t.Context(), upload("a.md", "El envío cuesta $7."))
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Equal(t, "INDEX_UNAVAILABLE", fault.ReasonOf(err))
	require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"), "the old content stays")

	index.put = nil
	doc, _, err := b.Library.Add(t.Context(), upload("a.md", "El envío cuesta $7."))
	require.NoError(t, err)
	require.Equal(t, 2, doc.Version)
	require.Equal(t, []string{"El envío cuesta $7."}, texts(t, b, "envío"))
}

// TestDeadEntriesNeverSurface leaves replaced and deleted versions in the index, more of them than a search fetches at
// first.
func TestDeadEntriesNeverSurface(t *testing.T) {
	t.Parallel()
	b, index := newFlaky(t)
	index.deleteVersion = errAway
	for range 3 {
		gone := b.Add(t, "gone.md", strings.Repeat("## Envío\n\nEl envío de envíos.\n\n", 40))
		require.NoError(t, b.Library.Delete(t.Context(), gone.ID))
	}
	b.Add(t, "a.md", "El envío costaba $5 y había que esperar mucho por él en la puerta de la casa.")
	b.Add(t, "a.md", "El envío cuesta $7 y hay que esperar por él en la puerta de la casa.")
	require.Equal(t, []string{"El envío cuesta $7 y hay que esperar por él en la puerta de la casa."}, texts(t, b, "envío"))

	index.deleteVersion = nil
	require.NoError(t, b.Keeper.Inspect(t.Context()))
	n, err := b.Index.Count(t.Context(), kbOf(t, b).Tenant(0, b.Index.Spec()))
	require.NoError(t, err)
	require.Equal(t, 1, n, "the keeper has removed what was dead")
	dead, err := b.Store.Garbage(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Empty(t, dead)
}

func TestFilesAreAnsweredFrom(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	for name, content := range map[string][]byte{
		"tarifas.csv":     []byte("Destino;Tarifa\nLeticia;$31.000\n"),
		"faq.json":        []byte(`[{"question": "¿Reparan paraguas?", "answer": "Solo los de varillas."}]`),
		"garantia.pdf":    filetest.PDF([]string{"La licuadora tiene cinco meses de respaldo."}),
		"sin-ending":      filetest.DOCX(t, `<w:p><w:r><w:t>El parqueadero cierra a medianoche.</w:t></w:r></w:p>`),
		"inventario.xlsx": filetest.XLSX(t, []any{"Producto", "Unidades"}, []any{"Trompo", 12}),
	} {
		doc, _, err := b.Library.Add(t.Context(), ingestion.Upload{KnowledgeBase: "default", Name: name, Content: content})
		require.NoError(t, err, name)
		require.Equal(t, 1, doc.PassageCount, name)
	}
	for question, answer := range map[string]string{
		"tarifa a Leticia": "- Destino: Leticia; Tarifa: $31.000",
		"paraguas":         "Solo los de varillas.",
		"licuadora":        "La licuadora tiene cinco meses de respaldo.",
		"parqueadero":      "El parqueadero cierra a medianoche.",
		"trompos":          "- Producto: Trompo; Unidades: 12",
	} {
		require.Equal(t, answer, texts(t, b, question)[0], question)
	}
}

func TestFilesThatCannotBeReadHarmNothing(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.Add(t, "a.pdf", string(filetest.PDF([]string{"El envío cuesta $5."})))
	for reason, content := range map[string][]byte{
		"CONTENT_UNREADABLE": []byte("%PDF-1.7 roto"),
		"CONTENT_ENCRYPTED":  filetest.EncryptedPDF(),
		"CONTENT_EMPTY":      filetest.PDF([]string{}),
		"CONTENT_TOO_LARGE":  make([]byte, 9<<20),
	} {
		_, _, err := b.Library.Add(t.Context(), ingestion.Upload{KnowledgeBase: "default", Name: "a.pdf", Content: content})
		require.Equal(t, reason, fault.ReasonOf(err), err)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"))
	dead, err := b.Store.Garbage(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Empty(t, dead)
}

func TestMakingAgainDoesNotUndoANewerContent(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.Add(t, "a.md", "El envío cuesta $5.")
	versions, err := b.Store.ActiveVersions(t.Context(), kbOf(t, b))
	require.NoError(t, err)
	old, _, err := b.Store.Version(t.Context(), versions[0])
	require.NoError(t, err)
	b.Add(t, "a.md", "El envío cuesta $7.")
	old.ID, old.Replaces, old.Passages = "11111111-1111-4111-8111-111111111112", versions[0], nil
	require.NoError(t, b.Store.AddVersion(t.Context(), old))
	done, err := b.Store.Activate(t.Context(), old)
	require.NoError(t, err)
	require.Equal(t, old.ID, done.Replaced, "it is dead itself")
	require.Equal(t, []string{"El envío cuesta $7."}, texts(t, b, "envío"))
}
