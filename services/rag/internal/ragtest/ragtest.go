// Package ragtest gives tests a real PostgreSQL and a real Weaviate: one server of each per test process, a database per
// test, and a tenant per test, because every test's knowledge bases have ids of their own.
package ragtest

import (
	"context"
	"embed"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/knobot/knobot/platform/localweaviate"
	"github.com/knobot/knobot/platform/pgtest"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/crawl"
	"github.com/knobot/knobot/services/rag/internal/embedding"
	"github.com/knobot/knobot/services/rag/internal/fetch"
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/reader"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// shared is the Weaviate of the test process. A test binary has one TestMain, and testing hands nothing from it to the
// tests, so this must be a variable.
var shared struct {
	sync.Mutex
	server *localweaviate.Server
	// files is one for all, because it compiles its reader of PDFs once.
	files *reader.Reader
}

// Run runs the tests of a package and stops the servers that they used.
func Run(m *testing.M) int {
	defer stop()
	return pgtest.Run(m)
}

func stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.Stop()
	}
	if shared.files != nil {
		shared.files.Close()
	}
}

// Weaviate returns the test process's server.
func Weaviate(t testing.TB) *localweaviate.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		server, err := localweaviate.Start(ctx, localweaviate.Options{})
		if err != nil {
			t.Fatal("ragtest:", err)
		}
		shared.server = server
	}
	return shared.server
}

// files returns the test process's reader of files.
func files() *reader.Reader {
	shared.Lock()
	defer shared.Unlock()
	if shared.files == nil {
		shared.files = reader.New(filetest.CacheDir())
	}
	return shared.files
}

// Index returns a connection to the test process's Weaviate.
func Index(t testing.TB) *weaviate.Index {
	t.Helper()
	server := Weaviate(t)
	index, err := weaviate.Open(weaviate.Config{
		URL: server.HTTPURL, GRPCAddr: server.GRPCAddr, APIKey: server.APIKey.Reveal(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = index.Close() })
	return index
}

// Bundle is the service's inside, over a fresh database.
type Bundle struct {
	Pool     *pgxpool.Pool
	Store    *postgres.Store
	Index    *hybrid.Index
	Library  *ingestion.Library
	Keeper   *ingestion.Keeper
	Worker   *ingestion.Worker
	Crawler  *crawl.Crawler
	Searcher *retrieval.Searcher
	Analyzer *analysis.Analyzer
	Files    *reader.Reader
}

// New returns a bundle whose keeper, worker and crawler do not run by themselves. The crawler fetches from the servers
// allowed.
func New(t testing.TB, allow ...string) *Bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	// Databases are clones of one template, so that the default knowledge base would be the same tenant in all tests.
	_, err := pool.Exec(t.Context(), `update knowledge_bases set id = gen_random_uuid()`)
	require.NoError(t, err)
	b := &Bundle{
		Pool:     pool,
		Store:    postgres.NewStore(pool),
		Index:    hybrid.New(Index(t), nil),
		Analyzer: analysis.New(),
		Files:    files(),
	}
	b.Library, b.Keeper = ingestion.New(b.Store, b.Index, b.Files, b.Analyzer, zaptest.NewLogger(t))
	b.Worker = ingestion.NewWorker(b.Library, b.Store, zaptest.NewLogger(t))
	// Tests have their web servers on loopback; the service has to be told to fetch from there.
	b.Crawler = crawl.New(b.Store, b.Library, fetch.New(fetch.Config{Allow: allow, Pause: time.Millisecond}), zaptest.NewLogger(t))
	b.Searcher = retrieval.New(b.Store, b.Index, b.Keeper, b.Analyzer, zaptest.NewLogger(t))
	return b
}

// Restarted returns the bundle as another process sees it, with this embedding model or, with nil, without any. Its keeper has
// inspected nothing yet.
func (b *Bundle) Restarted(t testing.TB, embedder *embedding.Client) *Bundle {
	t.Helper()
	again, log := *b, zaptest.NewLogger(t)
	again.Index = hybrid.New(b.Index.Index, embedder)
	if embedder != nil {
		require.NoError(t, embedder.Measure(t.Context()))
	}
	again.Library, again.Keeper = ingestion.New(b.Store, again.Index, b.Files, b.Analyzer, log)
	again.Worker = ingestion.NewWorker(again.Library, b.Store, log)
	again.Searcher = retrieval.New(b.Store, again.Index, again.Keeper, b.Analyzer, log)
	return &again
}

// Add takes a document into the default knowledge base.
func (b *Bundle) Add(t testing.TB, name, content string) rag.Document {
	t.Helper()
	doc, _, err := b.Library.Add(t.Context(), ingestion.Upload{
		KnowledgeBase: rag.DefaultKnowledgeBase, Name: name, Content: []byte(content),
	})
	require.NoError(t, err, name)
	return doc
}

// Search asks the default knowledge base for the five best passages.
func (b *Bundle) Search(t testing.TB, question string) []rag.Hit {
	t.Helper()
	found, err := b.Searcher.Search(t.Context(), rag.DefaultKnowledgeBase, question, retrieval.DefaultTopK)
	require.NoError(t, err, question)
	return found.Hits
}

// shop holds the documents of a small made-up shop, written for these tests.
//
//go:embed testdata/tienda
var shop embed.FS

// AddShop takes the documents of a small made-up shop into the default knowledge base.
func (b *Bundle) AddShop(t testing.TB) {
	t.Helper()
	entries, err := shop.ReadDir("testdata/tienda")
	require.NoError(t, err)
	for _, entry := range entries {
		content, err := shop.ReadFile("testdata/tienda/" + entry.Name())
		require.NoError(t, err)
		b.Add(t, entry.Name(), string(content))
	}
}

// SharedDir returns the folder of third-party test data that lies beside the repository, and skips the test without it.
func SharedDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("KNOBOT_SHARED_DIR"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; len(dir) > 1; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir + "/go.work"); err != nil {
			continue
		}
		if beside := filepath.Dir(dir) + "/shared"; isDir(beside) {
			return beside
		}
		break
	}
	t.Skip("no folder of shared test data beside the repository (KNOBOT_SHARED_DIR)")
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
