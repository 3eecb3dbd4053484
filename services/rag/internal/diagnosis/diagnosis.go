// Package diagnosis says whether the search index is there, set up as KnoBot needs it, and complete.
package diagnosis

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/knobot/knobot/platform/doctor"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// The checks.
const (
	checkWeaviate = "weaviate"
	checkVersion  = "weaviate.version"
	checkBlockMax = "weaviate.blockmax"
	checkEntries  = "index.entries"
)

// oldestMinor is the 1.x of Weaviate whose gRPC API we speak.
const oldestMinor = 27

// Index is Weaviate.
type Index interface {
	// Status asks Weaviate about itself. Returns weaviate.ErrUnavailable if it does not answer.
	Status(ctx context.Context) (weaviate.Status, error)
	// Count returns how many entries a tenant has. Returns weaviate.ErrMissing if there is no such tenant.
	Count(ctx context.Context, in rag.Tenant) (int, error)
}

// Store knows what the index must hold.
type Store interface {
	// Placements lists where the knowledge bases are, and how many passages each has.
	Placements(ctx context.Context) ([]rag.Placement, error)
}

// Doctor examines the index.
type Doctor struct {
	index    Index
	store    Store
	database func(context.Context) []doctor.Finding
}

// New returns a doctor. database says how the service's database is.
func New(index Index, store Store, database func(context.Context) []doctor.Finding) *Doctor {
	return &Doctor{index: index, store: store, database: database}
}

// Diagnose examines everything.
func (d *Doctor) Diagnose(ctx context.Context) []doctor.Finding {
	found := d.database(ctx)
	status, err := d.index.Status(ctx)
	if err != nil {
		return append(found, doctor.Fail(checkWeaviate, "Weaviate does not answer").
			With("start it, and compare KNOBOT_WEAVIATE_URL and KNOBOT_WEAVIATE_API_KEY with its address and key; rag's log says more"))
	}
	return append(found, doctor.Fine(checkWeaviate, "Weaviate answers"), version(status), blockMax(status), d.entries(ctx))
}

func version(s weaviate.Status) doctor.Finding {
	parts := strings.SplitN(s.Version, ".", 3)
	if len(parts) == 3 && parts[0] == "1" {
		if minor, err := strconv.Atoi(parts[1]); err == nil && minor < oldestMinor {
			return doctor.Fail(checkVersion, "Weaviate %s is too old", s.Version).With("install Weaviate 1.35: older than 1.%d lacks calls that searches need", oldestMinor)
		}
	}
	return doctor.Fine(checkVersion, "Weaviate %s", s.Version)
}

// blockMax looks at how the classes were made. Those of format inverted, which Weaviate makes by default, are searched by
// BlockMax WAND unless the server was started with USE_BLOCKMAX_WAND=false, and it shows its environment to nobody
// (bm25_searcher.go of 1.35.2). By BlockMax WAND a fresh document ranks wrong for about a minute (measured on 1.35.2).
func blockMax(s weaviate.Status) doctor.Finding {
	switch {
	case len(s.Classes) == 0:
		return doctor.Skip(checkBlockMax, "there is no index yet")
	case len(s.BlockMax) > 0:
		return doctor.Skip(checkBlockMax, "Weaviate does not tell whether BlockMax WAND is on, by which fresh documents rank wrong for a minute").
			With("make sure that Weaviate is started with USE_BLOCKMAX_WAND=false, as compose.yaml and k8s/ do")
	default:
		return doctor.Fine(checkBlockMax, "the index is not searched by BlockMax WAND")
	}
}

// entries compares the index with the passages that it is of.
func (d *Doctor) entries(ctx context.Context) doctor.Finding {
	places, err := d.store.Placements(ctx)
	if err != nil {
		return doctor.Skip(checkEntries, "the database does not say what the index must hold")
	}
	missing, passages := 0, 0
	for _, p := range places {
		n, err := d.index.Count(ctx, p.Live())
		if err != nil && !errors.Is(err, weaviate.ErrMissing) {
			return doctor.Skip(checkEntries, "Weaviate does not say what the index holds")
		}
		passages += p.Passages
		missing += max(0, p.Passages-n)
	}
	if missing > 0 {
		return doctor.Fail(checkEntries, "%d of %d passages are not in the index: their knowledge bases do not answer", missing, passages).
			With("wait: rag puts them back by itself; if it lasts, read its log for \"index not inspected\"")
	}
	return doctor.Fine(checkEntries, "all %d passages are in the index", passages)
}
