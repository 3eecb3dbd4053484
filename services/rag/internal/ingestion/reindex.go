package ingestion

import (
	"context"
	"time"

	"go.uber.org/zap"

	rag "github.com/knobot/knobot/services/rag"
)

const (
	// fillBatch is how many documents are filled in before it is asked what is left.
	fillBatch = 100
	// searchedNoMore is longer than a search takes that began before its index was replaced.
	searchedNoMore = time.Minute
)

// Reindex has the index of a knowledge base made anew from the store, beside the one that answers, which it replaces when it
// holds everything. It returns as soon as that is sure to happen, also over a restart, and NotFound if there is no such
// knowledge base.
func (l *Library) Reindex(ctx context.Context, name string) error {
	if err := l.store.StartReindex(ctx, name); err != nil {
		return err
	}
	l.keeper.rouse()
	return nil
}

// advance fills the index that is being made beside a knowledge base's own, and puts it in its place once it holds every
// document. Documents that change meanwhile are found missing, and filled in too. Several replicas may do it at once.
func (k *Keeper) advance(ctx context.Context, p rag.Placement) error {
	if p.Next == 0 || p.NextSpec != k.library.index.Spec() {
		return nil // none, or another program's
	}
	next := p.Beside()
	if err := k.library.index.Ensure(ctx, next); err != nil {
		return err
	}
	for {
		missing, err := k.library.store.Unfilled(ctx, p.KnowledgeBase, p.Next, fillBatch)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			switched, err := k.library.store.SwitchIndex(ctx, p)
			if switched {
				k.library.log.Info("index made anew", zap.String("knowledge_base", string(p.KnowledgeBase)), zap.Int("generation", p.Next))
			}
			if err != nil || switched {
				return err
			}
			if place, err := k.library.store.Placement(ctx, p.KnowledgeBase); err != nil || place.Next != p.Next {
				return err // another replica has done it
			}
		}
		for _, id := range missing {
			if err := k.rewrite(ctx, next, id); err != nil {
				return err
			}
			if err := k.library.store.MarkFilled(ctx, id, p.Next); err != nil {
				return err
			}
		}
	}
}

// dropTenants removes indexes that were replaced.
func (k *Keeper) dropTenants(ctx context.Context) error {
	tenants, err := k.library.store.GarbageTenants(ctx, searchedNoMore)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := k.library.index.Drop(ctx, tenant); err != nil {
			return err
		}
		if tenant.IndexSpec != k.library.index.Spec() {
			if err := k.library.index.DropEmpty(ctx, tenant.IndexSpec); err != nil {
				return err
			}
		}
		if err := k.library.store.RemoveTenant(ctx, tenant); err != nil {
			return err
		}
	}
	return nil
}
