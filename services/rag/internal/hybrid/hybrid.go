// Package hybrid is the index with vectors: it embeds what is written and asked where there is an embedding model.
package hybrid

import (
	"context"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/embedding"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// Index is Weaviate and a model. It is safe for concurrent use.
type Index struct {
	*weaviate.Index
	embedder *embedding.Client
}

// New returns an index, which without an embedder (nil) is one of keywords alone.
func New(index *weaviate.Index, embedder *embedding.Client) *Index {
	return &Index{Index: index, embedder: embedder}
}

// Spec is how this program makes indexes: with the terms of its analyser and the vectors of its model, if it has one.
func (x *Index) Spec() rag.IndexSpec {
	spec := rag.IndexSpec{Analyzer: analysis.Version}
	if x.embedder != nil {
		spec.Model = x.embedder.Model()
	}
	return spec
}

// Run gets to know the model. Questions are answered by keyword until then.
func (x *Index) Run(ctx context.Context) error {
	if x.embedder == nil {
		return nil
	}
	return x.embedder.Run(ctx)
}

// Embeds tells whether a tenant has vectors of our model.
func (x *Index) Embeds(in rag.Tenant) bool {
	return x.embedder != nil && in.Model == x.embedder.Model()
}

// Put writes entries, with vectors where the tenant has those of our model. It returns Unavailable, writing nothing, while the
// model cannot be asked, else as weaviate.Index does.
func (x *Index) Put(ctx context.Context, in rag.Tenant, entries []weaviate.Entry) error {
	if x.Embeds(in) {
		if err := x.embed(ctx, entries); err != nil {
			return err
		}
	}
	return x.Index.Put(ctx, in, entries)
}

// embed fills in the vectors, unless that was done when these entries could not be written.
func (x *Index) embed(ctx context.Context, entries []weaviate.Entry) error {
	if len(entries) == 0 || entries[0].Vector != nil {
		return nil
	}
	texts := make([]string, len(entries))
	for i, e := range entries {
		texts[i] = e.Text
	}
	vectors, err := x.embedder.Documents(ctx, texts)
	if err != nil {
		return fault.New(fault.Unavailable, "EMBEDDINGS_UNAVAILABLE", "the embedding model cannot be asked now, try again").WithCause(err)
	}
	for i, v := range vectors {
		entries[i].Vector = v
	}
	return nil
}

// Bearing is a question as a vector.
type Bearing struct {
	vector     embedding.Vector
	background float64
}

// Bearing returns the vector of a question, nil where there is none: without a model, or while it cannot be asked.
func (x *Index) Bearing(ctx context.Context, text string) *Bearing {
	if x.embedder == nil {
		return nil
	}
	background, known := x.embedder.Background()
	if !known {
		return nil
	}
	vector := x.embedder.Question(ctx, text)
	if vector == nil {
		return nil
	}
	return &Bearing{vector: vector, background: background}
}

// Near returns the entries nearest to a question. Their scores are cosines.
func (x *Index) Near(ctx context.Context, in rag.Tenant, b *Bearing, limit int) ([]weaviate.Match, error) {
	return x.Index.Near(ctx, in, b.vector, limit)
}

// Likeness is what a cosine says of two texts, 0 for no more than any two have in common, 1 for the same. Models differ so
// much in the cosine of unrelated texts that no fixed scale fits two of them.
func (b *Bearing) Likeness(cosine float64) float64 {
	return min(max((cosine-b.background)/(1-b.background), 0), 1)
}
