package ingestion

import (
	"context"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// adopt has indexes made anew that have not the vectors of this program's embedding model. It says once which that is: of
// several programs with different ones the one started last decides, and the others leave writing to it.
func (k *Keeper) adopt(ctx context.Context) error {
	if !k.claimed.Load() {
		if err := k.library.store.ClaimModel(ctx, k.library.index.Model()); err != nil {
			return err
		}
		k.claimed.Store(true)
	}
	return k.library.store.AdoptModel(ctx)
}

// place says where a version's entries go. A program with another embedding model than the index leaves them to one with it.
func (l *Library) place(ctx context.Context, v *rag.Version) error {
	place, err := l.store.Placement(ctx, v.KnowledgeBase)
	if err != nil {
		return err
	}
	if !place.Takes(l.index.Model()) {
		return foreignModel()
	}
	v.Generation, v.Tenant = place.Generation, place.Live()
	return nil
}

func foreignModel() error {
	return fault.New(fault.Unavailable, "EMBEDDING_MODEL", "the search index has the vectors of another embedding model, try again")
}
