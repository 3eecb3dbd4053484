package ingestion

import (
	"context"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// adopt has indexes made anew that this program would make otherwise: with another analyser's terms, or another embedding
// model's vectors. It says once how that is: of several programs that differ the one started last decides, and the others leave
// writing to it.
func (k *Keeper) adopt(ctx context.Context) error {
	if !k.claimed.Load() {
		if err := k.library.store.ClaimSpec(ctx, k.library.index.Spec()); err != nil {
			return err
		}
		k.claimed.Store(true)
	}
	return k.library.store.AdoptSpec(ctx)
}

// place says where a version's entries go. A program that makes indexes otherwise than this one is made leaves them to one that
// does.
func (l *Library) place(ctx context.Context, v *rag.Version) error {
	place, err := l.store.Placement(ctx, v.KnowledgeBase)
	if err == nil && !place.Takes(l.index.Spec()) && !l.keeper.claimed.Load() {
		if err = l.keeper.adopt(ctx); err == nil { // the program has just started
			place, err = l.store.Placement(ctx, v.KnowledgeBase)
		}
	}
	if err != nil {
		return err
	}
	if !place.Takes(l.index.Spec()) {
		return foreignIndex()
	}
	v.Generation, v.Tenant = place.Generation, place.Live()
	return nil
}

func foreignIndex() error {
	return fault.New(fault.Unavailable, "INDEX_OF_ANOTHER_PROGRAM",
		"the search index is made by a program with another analyser or embedding model, try again")
}
