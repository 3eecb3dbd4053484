package weaviate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/weaviate/weaviate-go-client/v4/weaviate/filters"
	"github.com/weaviate/weaviate-go-client/v4/weaviate/graphql"
	"github.com/weaviate/weaviate/entities/models"

	rag "github.com/knobot/knobot/services/rag"
)

// batchSize is how many objects one write carries.
const batchSize = 200

// Entry is what the index holds of a passage.
type Entry struct {
	Passage rag.PassageID
	Version rag.VersionID
	// Stems and Pieces are separated by spaces.
	Stems, Pieces string
	// Text is what its vector is made of; it does not go into the index.
	Text string
	// Vector is empty in a tenant without vectors, or as long as there is none.
	Vector []float32
}

// Put writes entries; writing the same ones again changes nothing. When it returns they can be found. It returns
// ErrMissing if there is no such tenant.
func (x *Index) Put(ctx context.Context, in rag.Tenant, entries []Entry) error {
	for batch := range slices.Chunk(entries, batchSize) {
		if err := x.putSoon(ctx, in, batch); err != nil {
			return err
		}
	}
	return nil
}

// A class that another process has just made is in the schema some moments before it can be written to (seen on 1.35.2).
const (
	settleTime  = 5 * time.Second
	settlePause = 50 * time.Millisecond
)

// putSoon puts a batch and waits for a class that is being made.
func (x *Index) putSoon(ctx context.Context, in rag.Tenant, batch []Entry) error {
	deadline := time.Now().Add(settleTime)
	for {
		err := x.put(ctx, in, batch)
		if err == nil || !strings.Contains(err.Error(), "could not find index for class") || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return err
		}
	}
}

func (x *Index) put(ctx context.Context, in rag.Tenant, entries []Entry) error {
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	objects := make([]*models.Object, len(entries))
	for i, e := range entries {
		objects[i] = &models.Object{
			Class: class(in.IndexSpec), Tenant: in.Name, ID: strfmt.UUID(e.Passage),
			Properties: map[string]any{propStems: e.Stems, propPieces: e.Pieces, propVersion: string(e.Version)},
			Vector:     e.Vector,
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	results, err := c.Batch().ObjectsBatcher().WithObjects(objects...).Do(ctx)
	if err != nil {
		return translate(err)
	}
	return refused(results)
}

// refused returns the first object's error: the batch call itself reports none of them.
func refused(results []models.ObjectsGetResponse) error {
	for _, r := range results {
		if r.Result == nil || r.Result.Errors == nil {
			continue
		}
		for _, e := range r.Result.Errors.Error {
			if e != nil {
				return translate(errors.New(e.Message))
			}
		}
	}
	return nil
}

// DeleteVersion removes the entries of a version. It is no error if there are none.
func (x *Index) DeleteVersion(ctx context.Context, in rag.Tenant, version rag.VersionID) error {
	c, err := x.v4(ctx)
	if err != nil {
		return err
	}
	where := filters.Where().WithPath([]string{propVersion}).WithOperator(filters.Equal).WithValueText(string(version))
	for {
		// One call removes at most 10,000 objects (QUERY_MAXIMUM_RESULTS), fewer than a document may have.
		response, err := c.Batch().ObjectsBatchDeleter().WithClassName(class(in.IndexSpec)).WithTenant(in.Name).WithWhere(where).Do(ctx)
		if err := translate(err); err != nil {
			if errors.Is(err, ErrMissing) {
				return nil
			}
			return err
		}
		if response.Results == nil || response.Results.Matches == 0 {
			return nil
		}
		if response.Results.Successful == 0 {
			return fmt.Errorf("%w: %d objects could not be deleted", ErrUnavailable, response.Results.Failed)
		}
	}
}

// Count returns how many entries a tenant has, ErrMissing if there is no such tenant.
func (x *Index) Count(ctx context.Context, in rag.Tenant) (int, error) {
	c, err := x.v4(ctx)
	if err != nil {
		return 0, err
	}
	response, err := c.GraphQL().Aggregate().WithClassName(class(in.IndexSpec)).WithTenant(in.Name).
		WithFields(graphql.Field{Name: "meta", Fields: []graphql.Field{{Name: "count"}}}).Do(ctx)
	if err != nil {
		return 0, translate(err)
	}
	// The client reports errors of a query beside a nil error.
	for _, e := range response.Errors {
		return 0, translate(fmt.Errorf("%s", e.Message))
	}
	return count(response.Data, class(in.IndexSpec))
}

// count digs {"Aggregate": {class: [{"meta": {"count": n}}]}} out of a response.
func count(data map[string]models.JSONObject, class string) (int, error) {
	aggregate, _ := data["Aggregate"].(map[string]any)
	groups, _ := aggregate[class].([]any)
	if len(groups) == 1 {
		group, _ := groups[0].(map[string]any)
		meta, _ := group["meta"].(map[string]any)
		if n, ok := meta["count"].(float64); ok {
			return int(n), nil
		}
	}
	return 0, fmt.Errorf("%w: unexpected shape of a count", ErrUnavailable)
}
