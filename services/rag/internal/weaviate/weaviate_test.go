package weaviate_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

func TestMain(m *testing.M) { os.Exit(ragtest.Run(m)) }

func newKB() rag.Tenant {
	return rag.Tenant{Name: uuid.NewString(), IndexSpec: rag.IndexSpec{Analyzer: analysis.Version}}
}

// entry is a passage of version that holds stems.
func entry(version rag.VersionID, stems string) weaviate.Entry {
	return weaviate.Entry{Passage: rag.PassageID(uuid.NewString()), Version: version, Stems: stems, Pieces: "§" + stems}
}

func version() rag.VersionID { return rag.VersionID(uuid.NewString()) }

func TestIndex(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*weaviate.Index, rag.Tenant) {
		t.Helper()
		index, kb := ragtest.Index(t), newKB()
		require.NoError(t, index.Ensure(t.Context(), kb))
		t.Cleanup(func() { require.NoError(t, index.Drop(context.Background(), kb)) })
		return index, kb
	}

	t.Run("FindsAtOnceWhatWasPut", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		both, one := entry(version(), "envi gratis"), entry(version(), "envi car")
		require.NoError(t, index.Put(t.Context(), kb, []weaviate.Entry{one, both, entry(version(), "otro")}))
		matches, err := index.Search(t.Context(), kb, "envi gratis", 10)
		require.NoError(t, err)
		require.Len(t, matches, 2)
		require.Equal(t, both.Passage, matches[0].Passage)
		require.Equal(t, one.Passage, matches[1].Passage)
		require.Greater(t, matches[0].Score, matches[1].Score)
	})

	t.Run("PuttingTwiceChangesNothing", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		e := entry(version(), "envi")
		for range 2 {
			require.NoError(t, index.Put(t.Context(), kb, []weaviate.Entry{e}))
		}
		n, err := index.Count(t.Context(), kb)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})

	t.Run("EnsureTwiceIsNoError", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		require.NoError(t, index.Ensure(t.Context(), kb))
	})

	t.Run("TenantsSeeNothingOfEachOther", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		_, other := setup(t)
		require.NoError(t, index.Put(t.Context(), kb, []weaviate.Entry{entry(version(), "secreto")}))
		matches, err := index.Search(t.Context(), other, "secreto §secreto", 10)
		require.NoError(t, err)
		require.Empty(t, matches)
	})

	t.Run("DeletesAVersionAndNothingElse", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		gone, kept := version(), entry(version(), "envi")
		entries := []weaviate.Entry{kept}
		for range 450 {
			entries = append(entries, entry(gone, "envi"))
		}
		require.NoError(t, index.Put(t.Context(), kb, entries))
		require.NoError(t, index.DeleteVersion(t.Context(), kb, gone))
		require.NoError(t, index.DeleteVersion(t.Context(), kb, gone), "twice is no error")
		matches, err := index.Search(t.Context(), kb, "envi", 1000)
		require.NoError(t, err)
		require.Len(t, matches, 1)
		require.Equal(t, kept.Passage, matches[0].Passage)
	})

	t.Run("MissingTenantIsToldApart", func(t *testing.T) {
		t.Parallel()
		index, _ := setup(t)
		kb := newKB()
		_, err := index.Search(t.Context(), kb, "envi", 10)
		require.ErrorIs(t, err, weaviate.ErrMissing)
		_, err = index.Count(t.Context(), kb)
		require.ErrorIs(t, err, weaviate.ErrMissing)
		require.ErrorIs(t, index.Put(t.Context(), kb, []weaviate.Entry{entry(version(), "a")}), weaviate.ErrMissing)
		require.NoError(t, index.Drop(t.Context(), kb), "dropping what is not there is no error")
		require.NoError(t, index.DeleteVersion(t.Context(), kb, version()))
	})

	t.Run("WithoutTenantsIsRemoved", func(t *testing.T) {
		t.Parallel()
		index, kb := ragtest.Index(t), newKB()
		kb.Analyzer = "t" + uuid.NewString()[:8]
		require.NoError(t, index.DropEmpty(t.Context(), kb.IndexSpec), "removing what is not there is no error")
		require.NoError(t, index.Ensure(t.Context(), kb))
		require.NoError(t, index.Put(t.Context(), kb, []weaviate.Entry{entry(version(), "envi")}))
		require.NoError(t, index.DropEmpty(t.Context(), kb.IndexSpec))
		n, err := index.Count(t.Context(), kb)
		require.NoError(t, err)
		require.Equal(t, 1, n, "not while a tenant is in it")
		require.NoError(t, index.Drop(t.Context(), kb))
		require.NoError(t, index.DropEmpty(t.Context(), kb.IndexSpec))
		_, err = index.Count(t.Context(), kb)
		require.ErrorIs(t, err, weaviate.ErrMissing)
		require.NoError(t, index.Ensure(t.Context(), kb), "it can be made again")
		require.NoError(t, index.Drop(t.Context(), kb))
	})

	t.Run("TakesEveryCharacter", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		for i, text := range []string{"\U0001F3F4\U000E0067\U000E007F", "\a\v\x7f", `"}) { Get }`, "\U0001FADC", "ñandú", `\`, "'"} {
			e := entry(version(), fmt.Sprintf("%s marca%d", text, i))
			require.NoError(t, index.Put(t.Context(), kb, []weaviate.Entry{e}), "%q", text)
			matches, err := index.Search(t.Context(), kb, fmt.Sprintf("%s marca%d", text, i), 1)
			require.NoError(t, err, "%q", text)
			require.Equal(t, e.Passage, matches[0].Passage, "%q", text)
		}
	})
}

func TestVectors(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*weaviate.Index, rag.Tenant) {
		t.Helper()
		index, kb := ragtest.Index(t), newKB()
		kb.Model = "of-three"
		require.NoError(t, index.Ensure(t.Context(), kb))
		return index, kb
	}
	placed := func(stems string, vector ...float32) weaviate.Entry {
		e := entry(version(), stems)
		e.Vector = vector
		return e
	}

	t.Run("NearestComesFirstWithItsCosine", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		same, half, other := placed("a", 1, 0, 0), placed("b", 0.5, 0.8660254, 0), placed("c", 0, 0, 1)
		require.NoError(t, index.Put(t.Context(), kb, []weaviate.Entry{other, half, same, entry(version(), "none")}))
		matches, err := index.Near(t.Context(), kb, []float32{1, 0, 0}, 10)
		require.NoError(t, err)
		require.Len(t, matches, 3, "an entry without a vector is no neighbour")
		for i, want := range []struct {
			weaviate.Entry
			cosine float64
		}{{same, 1}, {half, 0.5}, {other, 0}} {
			require.Equal(t, want.Passage, matches[i].Passage)
			require.InDelta(t, want.cosine, matches[i].Score, 1e-5)
		}
		found, err := index.Search(t.Context(), kb, "none", 10)
		require.NoError(t, err)
		require.Len(t, found, 1, "and is found by its terms all the same")
	})

	t.Run("EveryCharacterStandsBesideAVector", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		var entries []weaviate.Entry
		for _, text := range []string{"\U0001F3F4\U000E0067\U000E007F", "\a\v\x7f\x00", `"}) { Get }`, "ñandú"} {
			entries = append(entries, placed(text, 0, 1, 0))
		}
		require.NoError(t, index.Put(t.Context(), kb, entries))
		matches, err := index.Near(t.Context(), kb, []float32{0, 1, 0}, 10)
		require.NoError(t, err)
		require.Len(t, matches, len(entries))
	})

	t.Run("AnotherDimensionIsRefused", func(t *testing.T) {
		t.Parallel()
		index, kb := setup(t)
		require.NoError(t, index.Put(t.Context(), kb, []weaviate.Entry{placed("a", 1, 0, 0)}))
		require.ErrorIs(t, index.Put(t.Context(), kb, []weaviate.Entry{placed("b", 1, 0)}), weaviate.ErrUnavailable)
		_, err := index.Near(t.Context(), kb, []float32{1, 0}, 10)
		require.ErrorIs(t, err, weaviate.ErrUnavailable)
	})
}

func TestWrongKeyIsUnavailable(t *testing.T) {
	t.Parallel()
	server := ragtest.Weaviate(t)
	index, err := weaviate.Open(weaviate.Config{URL: server.HTTPURL, GRPCAddr: server.GRPCAddr, APIKey: "wrong-key"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = index.Close() })
	_, err = index.Search(t.Context(), newKB(), "envi", 10)
	require.ErrorIs(t, err, weaviate.ErrUnavailable)
	err = index.Ensure(t.Context(), newKB())
	require.ErrorIs(t, err, weaviate.ErrUnavailable)
	require.NotContains(t, err.Error(), "wrong-key")
}

func TestAbsentWeaviateIsUnavailable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	metrics := prometheus.NewRegistry()
	index, err := weaviate.Open(weaviate.Config{URL: "http://" + addr, GRPCAddr: addr}, weaviate.Measured(metrics))
	require.NoError(t, err, "opening needs no server")
	t.Cleanup(func() { _ = index.Close() })
	_, err = index.Search(t.Context(), newKB(), "envi", 10)
	require.ErrorIs(t, err, weaviate.ErrUnavailable)
	families, err := metrics.Gather()
	require.NoError(t, err)
	require.Equal(t, "knobot_rag_weaviate_search_seconds", families[0].GetName())
	require.Equal(t, "Unavailable", families[0].GetMetric()[0].GetLabel()[0].GetValue())
	require.ErrorIs(t, index.Put(t.Context(), newKB(), []weaviate.Entry{entry(version(), "a")}), weaviate.ErrUnavailable)
	_, err = index.Count(t.Context(), newKB())
	require.ErrorIs(t, err, weaviate.ErrUnavailable)
}

func TestSomethingElseThanWeaviateIsUnavailable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	index, err := weaviate.Open(weaviate.Config{URL: server.URL, GRPCAddr: server.Listener.Addr().String()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = index.Close() })
	require.ErrorIs(t, index.Ensure(t.Context(), newKB()), weaviate.ErrUnavailable)
}

func TestOpenRefusesAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "weaviate:8080", "ftp://weaviate", "http://", "http://%zz"} {
		_, err := weaviate.Open(weaviate.Config{URL: address, GRPCAddr: "127.0.0.1:50051"})
		require.Error(t, err, address)
	}
}
