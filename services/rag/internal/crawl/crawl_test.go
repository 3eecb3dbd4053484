package crawl_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

func TestMain(m *testing.M) { os.Exit(ragtest.Run(m)) }

// website is one whose pages can be changed; it counts what it is asked.
type website struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string
	asked map[string]int
	sent  map[string]int
}

func newWebsite(t *testing.T) *website {
	t.Helper()
	w := &website{pages: map[string]string{}, asked: map[string]int{}, sent: map[string]int{}}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *website) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[r.URL.Path]++
	body, ok := w.pages[r.URL.Path]
	if !ok {
		http.NotFound(out, r)
		return
	}
	tag := fmt.Sprintf(`"%d-%x"`, len(body), body[:min(8, len(body))])
	out.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		out.WriteHeader(http.StatusNotModified)
		return
	}
	w.sent[r.URL.Path]++
	_, _ = fmt.Fprint(out, body)
}

func (w *website) set(path, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pages[path] = body; body == "" {
		delete(w.pages, path)
	}
}

func (w *website) counted(path string) (asked, sent int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[path], w.sent[path]
}

func (w *website) host() string { return strings.TrimPrefix(w.URL, "http://") }

func html(title, text string) string {
	return "<!doctype html><title>" + title + "</title><p>" + text + "</p>"
}

// sitemap lists paths.
func (w *website) sitemap(paths ...string) string {
	var out strings.Builder
	out.WriteString(`<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
	for _, p := range paths {
		fmt.Fprintf(&out, "<url><loc>%s%s</loc><lastmod>2026-11-01</lastmod></url>", w.URL, p)
	}
	return out.String() + "</urlset>"
}

func create(t *testing.T, b *ragtest.Bundle, address string) rag.Source {
	t.Helper()
	s, err := b.Crawler.Create(t.Context(), rag.Source{KnowledgeBase: "default", URL: address})
	require.NoError(t, err)
	return s
}

// crawl refreshes what is due and takes in what came of it.
func crawl(t *testing.T, b *ragtest.Bundle) {
	t.Helper()
	for _, next := range []func(context.Context) (bool, error){b.Crawler.Next, b.Worker.Next} {
		for worked := true; worked; {
			var err error
			worked, err = next(t.Context())
			require.NoError(t, err)
		}
	}
}

func again(t *testing.T, b *ragtest.Bundle, s rag.Source) rag.Source {
	t.Helper()
	_, err := b.Crawler.Refresh(t.Context(), s.ID)
	require.NoError(t, err)
	crawl(t, b)
	s, err = b.Store.Source(t.Context(), s.ID)
	require.NoError(t, err)
	return s
}

func texts(t *testing.T, b *ragtest.Bundle, question string) []string {
	t.Helper()
	var out []string
	for _, hit := range b.Search(t, question) {
		out = append(out, hit.Text)
	}
	return out
}

func documents(t *testing.T, b *ragtest.Bundle) []string {
	t.Helper()
	kb, err := b.Store.KnowledgeBase(t.Context(), "default")
	require.NoError(t, err)
	list, err := b.Store.Documents(t.Context(), kb.ID, "", 1000)
	require.NoError(t, err)
	var names []string
	for _, d := range list {
		names = append(names, d.Name)
	}
	return names
}

func TestPage(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*ragtest.Bundle, *website) {
		t.Helper()
		w := newWebsite(t)
		return ragtest.New(t, w.host()), w
	}

	t.Run("BecomesADocumentAndFollowsItsChanges", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		w.set("/ayuda", html("Ayuda", "El envío cuesta $5."))
		s := create(t, b, w.URL+"/ayuda#costos")
		require.Equal(t, rag.PageSource, s.Kind)
		require.Equal(t, 24*time.Hour, s.Interval)
		require.True(t, s.RefreshTime.IsZero() || s.RefreshTime.Year() == 1)
		crawl(t, b)
		hits := b.Search(t, "envío")
		require.Equal(t, "El envío cuesta $5.", hits[0].Text)
		require.Equal(t, "Ayuda", hits[0].Title)
		require.Equal(t, w.URL+"/ayuda", hits[0].SourceURI)
		require.Equal(t, w.URL+"/ayuda", hits[0].DocumentName)

		s = again(t, b, s)
		asked, sent := w.counted("/ayuda")
		require.Equal(t, 2, asked)
		require.Equal(t, 1, sent, "what has not changed is not sent again")
		require.Equal(t, 1, s.PageCount)
		require.False(t, s.Refreshing)
		require.WithinDuration(t, time.Now().Add(24*time.Hour), s.NextRefreshTime, time.Hour)

		w.set("/ayuda", html("Ayuda", "Ahora el envío cuesta $7, siempre."))
		again(t, b, s)
		require.Equal(t, []string{"Ahora el envío cuesta $7, siempre."}, texts(t, b, "envío"))
	})

	t.Run("ThatIsGoneTakesItsDocumentAlong", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		w.set("/ayuda", html("Ayuda", "El envío cuesta $5."))
		s := create(t, b, w.URL+"/ayuda")
		crawl(t, b)
		w.set("/ayuda", "")
		s = again(t, b, s)
		require.Empty(t, texts(t, b, "envío"))
		require.Equal(t, "PAGE_GONE", s.Reason)
		w.set("/ayuda", html("Ayuda", "El envío cuesta $5."))
		s = again(t, b, s)
		require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"), "it comes back")
		require.Empty(t, s.Reason)
	})

	t.Run("ThatFailsLeavesItsDocument", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		w.set("/ayuda", html("Ayuda", "El envío cuesta $5."))
		s := create(t, b, w.URL+"/ayuda")
		crawl(t, b)
		w.Close()
		s = again(t, b, s)
		require.Equal(t, "FETCH_FAILED", s.Reason)
		require.Equal(t, 1, s.FailedPageCount)
		require.WithinDuration(t, time.Now().Add(15*time.Minute), s.NextRefreshTime, 5*time.Minute, "it is tried again soon")
		require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"))
	})

	t.Run("MayBeAFile", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		w.set("/garantia", string(filetest.PDF([]string{"La licuadora tiene cinco meses de respaldo."})))
		create(t, b, w.URL+"/garantia")
		crawl(t, b)
		require.Equal(t, []string{"La licuadora tiene cinco meses de respaldo."}, texts(t, b, "licuadora"))
	})

	t.Run("WhoseDocumentWasDeletedComesBack", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		w.set("/ayuda", html("Ayuda", "El envío cuesta $5."))
		s := create(t, b, w.URL+"/ayuda")
		crawl(t, b)
		require.NoError(t, b.Library.Delete(t.Context(), b.Search(t, "envío")[0].Document))
		again(t, b, s)
		require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"))
	})
}

func TestSitemap(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*ragtest.Bundle, *website) {
		t.Helper()
		w := newWebsite(t)
		return ragtest.New(t, w.host()), w
	}

	t.Run("PagesAreTakenAndLeftByWhatBecomesOfThem", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		w.set("/robots.txt", "User-agent: *\nDisallow: /privado")
		w.set("/a", html("A", "Vendemos trompos."))
		w.set("/b", html("B", "Vendemos cometas."))
		w.set("/privado", html("P", "Secreto."))
		w.set("/sitemap.xml", strings.Replace(w.sitemap("/a", "/b", "/privado", "/nada"),
			"</urlset>", "<url><loc>https://otra.example/x</loc></url><url><loc>javascript:1</loc></url></urlset>", 1))
		s := create(t, b, w.URL+"/sitemap.xml")
		require.Equal(t, rag.SitemapSource, s.Kind)
		crawl(t, b)
		require.Equal(t, []string{w.URL + "/a", w.URL + "/b"}, documents(t, b))
		pages, err := b.Store.SourcePages(t.Context(), s.ID, "", 10)
		require.NoError(t, err)
		reasons := map[string]string{}
		for _, p := range pages {
			reasons[strings.TrimPrefix(p.URL, w.URL)] = p.Reason
		}
		require.Equal(t, map[string]string{"/a": "", "/b": "", "/privado": "ROBOTS_DISALLOWED"}, reasons)

		w.set("/b", "")
		w.set("/sitemap.xml", w.sitemap("/a"))
		s = again(t, b, s)
		require.Equal(t, []string{w.URL + "/a"}, documents(t, b), "a page that is gone is withdrawn, also if it is listed no more")
		require.Empty(t, s.Reason)
		require.Equal(t, 2, s.PageCount)
	})

	t.Run("AnIndexLeadsToOthers", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		w.set("/a", html("A", "Vendemos trompos."))
		w.set("/uno.xml", w.sitemap("/a"))
		w.set("/index.xml", "<sitemapindex><sitemap><loc>"+w.URL+"/uno.xml</loc></sitemap><sitemap><loc>"+w.URL+"/dos.xml</loc></sitemap></sitemapindex>")
		s := again(t, b, create(t, b, w.URL+"/index.xml"))
		require.Equal(t, []string{w.URL + "/a"}, documents(t, b))
		require.Equal(t, "PAGE_GONE", s.Reason, "the other sitemap is missing")
	})

	t.Run("IsBounded", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		var paths []string
		for i := range 600 {
			paths = append(paths, fmt.Sprintf("/%03d", i))
		}
		w.set("/sitemap.xml", w.sitemap(paths...))
		create(t, b, w.URL+"/sitemap.xml")
		_, err := b.Crawler.Next(t.Context())
		require.NoError(t, err)
		asked, _ := w.counted("/499")
		require.Equal(t, 1, asked)
		asked, _ = w.counted("/500")
		require.Zero(t, asked)
	})

	t.Run("ThatIsNoneSaysSo", func(t *testing.T) {
		t.Parallel()
		b, w := setup(t)
		for path, body := range map[string]string{"/page.xml": html("A", "b"), "/empty.xml": "<urlset></urlset>", "/cut.xml": "<urlset><url><loc>http"} {
			w.set(path, body)
			s := again(t, b, create(t, b, w.URL+path))
			require.Contains(t, []string{"SITEMAP_UNREADABLE", "SITEMAP_EMPTY"}, s.Reason, path)
		}
	})
}

func TestSource(t *testing.T) {
	t.Parallel()

	t.Run("IsRefusedWithItsReason", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		for reason, s := range map[string]rag.Source{
			"SOURCE_URL":               {KnowledgeBase: "default", URL: "ftp://a.co"},
			"REFRESH_INTERVAL":         {KnowledgeBase: "default", URL: "https://a.co", Interval: time.Second},
			"KNOWLEDGE_BASE_NOT_FOUND": {KnowledgeBase: "otra", URL: "https://a.co"},
			"AUDIENCE":                 {KnowledgeBase: "default", URL: "https://a.co", Audience: "todos"},
		} {
			_, err := b.Crawler.Create(t.Context(), s)
			require.Equal(t, reason, fault.ReasonOf(err))
		}
		create(t, b, "https://tienda.example/")
		_, err := b.Crawler.Create(t.Context(), rag.Source{KnowledgeBase: "default", URL: "https://TIENDA.example/#x"})
		require.Equal(t, "SOURCE_EXISTS", fault.ReasonOf(err))
	})

	t.Run("TakesItsDocumentsAlongButNotAnothers", func(t *testing.T) {
		t.Parallel()
		w := newWebsite(t)
		b := ragtest.New(t, w.host())
		w.set("/a", html("A", "Vendemos trompos."))
		w.set("/b", html("B", "Vendemos cometas."))
		w.set("/sitemap.xml", w.sitemap("/a", "/b"))
		site := create(t, b, w.URL+"/sitemap.xml")
		page := create(t, b, w.URL+"/a")
		crawl(t, b)
		require.NoError(t, b.Crawler.Delete(t.Context(), site.ID))
		require.Equal(t, []string{w.URL + "/a"}, documents(t, b))
		require.NoError(t, b.Crawler.Delete(t.Context(), page.ID))
		require.Empty(t, documents(t, b))
		require.Equal(t, "SOURCE_NOT_FOUND", fault.ReasonOf(b.Crawler.Delete(t.Context(), page.ID)))
	})

	t.Run("IsTakenUpWhereAKilledServiceLeftIt", func(t *testing.T) {
		t.Parallel()
		w := newWebsite(t)
		b := ragtest.New(t, w.host())
		w.set("/a", html("A", "Vendemos trompos."))
		w.set("/b", html("B", "Vendemos cometas."))
		w.set("/sitemap.xml", w.sitemap("/a", "/b"))
		create(t, b, w.URL+"/sitemap.xml")
		// What a process leaves that was killed after the first page.
		held, found, err := b.Store.ClaimSource(t.Context(), 100*time.Millisecond)
		require.NoError(t, err)
		require.True(t, found)
		require.NoError(t, b.Store.SavePage(t.Context(), held, rag.SourcePage{URL: w.URL + "/a", DocumentName: w.URL + "/a"}, true))
		require.NoError(t, b.Store.SavePage(t.Context(), held, rag.SourcePage{URL: w.URL + "/b", DocumentName: w.URL + "/b"}, false))
		require.Eventually(t, func() bool { crawl(t, b); return slices.Equal(documents(t, b), []string{w.URL + "/b"}) },
			20*time.Second, 50*time.Millisecond)
		asked, _ := w.counted("/a")
		require.Zero(t, asked, "it was done")
	})

	t.Run("IsRefreshedByItself", func(t *testing.T) {
		t.Parallel()
		w := newWebsite(t)
		b := ragtest.New(t, w.host())
		w.set("/a", html("A", "Vendemos trompos."))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- b.Crawler.Run(ctx) }()
		go func() { ended <- b.Worker.Run(ctx) }()
		create(t, b, w.URL+"/a")
		require.Eventually(t, func() bool { return len(documents(t, b)) == 1 }, 30*time.Second, 50*time.Millisecond)
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
	})
}
