package weaviate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxStatus is the most that is read of an answer about the server or its schema.
const maxStatus = 4 << 20

// Status is what Weaviate says of itself.
type Status struct {
	Version string
	// Classes are ours, and BlockMax those of them that BlockMax WAND may search.
	Classes, BlockMax []string
}

// Status asks Weaviate. It returns ErrUnavailable if it does not answer.
func (x *Index) Status(ctx context.Context) (Status, error) {
	var meta struct {
		Version string `json:"version"`
	}
	if err := x.get(ctx, "meta", &meta); err != nil {
		return Status{}, err
	}
	// The client's types are of a Weaviate that does not know the setting.
	var schema struct {
		Classes []struct {
			Class    string `json:"class"`
			Inverted struct {
				BlockMax bool `json:"usingBlockMaxWAND"`
			} `json:"invertedIndexConfig"`
		} `json:"classes"`
	}
	if err := x.get(ctx, "schema", &schema); err != nil {
		return Status{}, err
	}
	out := Status{Version: meta.Version}
	for _, c := range schema.Classes {
		if !strings.HasPrefix(c.Class, classPrefix) {
			continue
		}
		out.Classes = append(out.Classes, c.Class)
		if c.Inverted.BlockMax {
			out.BlockMax = append(out.BlockMax, c.Class)
		}
	}
	return out, nil
}

// get reads a JSON document of the REST API into out, unless that is nil.
func (x *Index) get(ctx context.Context, document string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, x.base.JoinPath("v1", document).String(), nil)
	if err != nil {
		return fmt.Errorf("weaviate: %w", err)
	}
	for name, value := range x.headers() {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxStatus))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: %s", ErrUnavailable, response.Status)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}
