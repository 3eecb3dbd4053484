package weaviate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	clientfault "github.com/weaviate/weaviate-go-client/v4/weaviate/fault"
	"github.com/weaviate/weaviate/entities/models"

	rag "github.com/knobot/knobot/services/rag"
)

// The properties of an object; its UUID is the passage's id.
const (
	propStems   = "stem"
	propPieces  = "pieces"
	propVersion = "version_id"
)

// classPrefix begins the names of our collections.
const classPrefix = "Passage_"

// class names the collection of an index's entries: there is one for each analyser and embedding model.
func class(in rag.IndexSpec) string {
	name := classPrefix + in.Analyzer
	if in.Model == "" {
		return name
	}
	hash := sha256.Sum256([]byte(in.Model))
	return name + "_" + hex.EncodeToString(hash[:4])
}

// Ensure makes the class and the tenant where they are missing.
func (x *Index) Ensure(ctx context.Context, in rag.Tenant) error {
	if err := x.ensureClass(ctx, in); err != nil {
		return err
	}
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	// Creating a tenant that exists is no error (measured on 1.35.2).
	return translate(c.Schema().TenantsCreator().WithClassName(class(in.IndexSpec)).
		WithTenants(models.Tenant{Name: in.Name}).Do(ctx))
}

func (x *Index) ensureClass(ctx context.Context, in rag.Tenant) error {
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	there, err := c.Schema().ClassExistenceChecker().WithClassName(class(in.IndexSpec)).Do(ctx)
	if err != nil || there {
		return translate(err)
	}
	err = c.Schema().ClassCreator().WithClass(definition(in)).Do(ctx)
	if again, check := c.Schema().ClassExistenceChecker().WithClassName(class(in.IndexSpec)).Do(ctx); check == nil && again {
		return nil // made by us, or by another replica at the same time
	}
	return translate(err)
}

// definition is indexed by our own terms, separated by spaces, without Weaviate's stopwords, and by vectors of ours where
// there are any.
func definition(in rag.Tenant) *models.Class {
	yes, no := true, false
	terms := func(name string) *models.Property {
		return &models.Property{
			Name: name, DataType: []string{"text"}, Tokenization: models.PropertyTokenizationWhitespace,
			IndexSearchable: &yes, IndexFilterable: &no,
		}
	}
	out := &models.Class{
		Class:              class(in.IndexSpec),
		Vectorizer:         "none",
		MultiTenancyConfig: &models.MultiTenancyConfig{Enabled: true},
		InvertedIndexConfig: &models.InvertedIndexConfig{
			Bm25:      &models.BM25Config{K1: 1.2, B: 0.75},
			Stopwords: &models.StopwordConfig{Preset: "none"},
		},
		Properties: []*models.Property{
			terms(propStems),
			terms(propPieces),
			{
				Name: propVersion, DataType: []string{"text"}, Tokenization: models.PropertyTokenizationField,
				IndexSearchable: &no, IndexFilterable: &yes,
			},
		},
	}
	if in.Model != "" {
		// Flat compares with every vector of the tenant: exact, the same each time, and without the tombstones of a graph.
		out.VectorIndexType, out.VectorIndexConfig = "flat", map[string]any{"distance": "cosine"}
	}
	return out
}

// Drop removes a tenant with all that is in it. It is no error if there is none.
func (x *Index) Drop(ctx context.Context, in rag.Tenant) error {
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	err = translate(c.Schema().TenantsDeleter().WithClassName(class(in.IndexSpec)).WithTenants(in.Name).Do(ctx))
	if errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}

// DropEmpty removes what is left of an index that no knowledge base has a part in any more. It does nothing while one has.
func (x *Index) DropEmpty(ctx context.Context, spec rag.IndexSpec) error {
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	tenants, err := c.Schema().TenantsGetter().WithClassName(class(spec)).Do(ctx)
	if err == nil && len(tenants) == 0 {
		err = c.Schema().ClassDeleter().WithClassName(class(spec)).Do(ctx)
	}
	if err = translate(err); errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}

// translate sorts an error of the client or of gRPC. Weaviate gives gRPC errors no code of their own (all are Unknown,
// measured on 1.35.2), so that only the text tells that a class or tenant is missing.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var coded *clientfault.WeaviateClientError
	if errors.As(err, &coded) && coded.StatusCode == http.StatusNotFound || isMissing(err.Error()) {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func isMissing(text string) bool {
	text = strings.ToLower(text)
	for _, sign := range []string{
		"not present in schema", "could not find class", "class not found", "tenant not found",
		"no graphql provider present",   // a Weaviate that never had a class (1.35.2)
		`on type "aggregateobjectsobj"`, // one that has others
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
