package weaviate

import (
	"context"
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

// Ensure makes the class and the tenant where they are missing.
func (x *Index) Ensure(ctx context.Context, in rag.Tenant) error {
	if err := x.ensureClass(ctx); err != nil {
		return err
	}
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	// Creating a tenant that exists is no error (measured on 1.35.2).
	return translate(c.Schema().TenantsCreator().WithClassName(Class).
		WithTenants(models.Tenant{Name: string(in)}).Do(ctx))
}

func (x *Index) ensureClass(ctx context.Context) error {
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	there, err := c.Schema().ClassExistenceChecker().WithClassName(Class).Do(ctx)
	if err != nil || there {
		return translate(err)
	}
	err = c.Schema().ClassCreator().WithClass(class()).Do(ctx)
	if again, check := c.Schema().ClassExistenceChecker().WithClassName(Class).Do(ctx); check == nil && again {
		return nil // made by us, or by another replica at the same time
	}
	return translate(err)
}

// class is indexed by our own terms alone: separated by spaces, without Weaviate's stopwords, and without vectors.
func class() *models.Class {
	yes, no := true, false
	terms := func(name string) *models.Property {
		return &models.Property{
			Name: name, DataType: []string{"text"}, Tokenization: models.PropertyTokenizationWhitespace,
			IndexSearchable: &yes, IndexFilterable: &no,
		}
	}
	return &models.Class{
		Class:              Class,
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
}

// Drop removes a tenant with all that is in it. It is no error if there is none.
func (x *Index) Drop(ctx context.Context, in rag.Tenant) error {
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	err = translate(c.Schema().TenantsDeleter().WithClassName(Class).WithTenants(string(in)).Do(ctx))
	if errors.Is(err, ErrMissing) {
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
		"no graphql provider present", // a Weaviate that never had a class (1.35.2)
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
