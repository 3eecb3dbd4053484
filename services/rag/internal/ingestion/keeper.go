package ingestion

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

const (
	// inspection is how often the index is compared with the store.
	inspection = time.Minute
	// retry is how soon an inspection that failed is tried again.
	retry = 2 * time.Second
	// pendingLimit is longer than any ingestion takes.
	pendingLimit = time.Hour
	// garbageBatch is how many dead versions one inspection removes.
	garbageBatch = 100
	// ingestionsKept is how long it can be seen what became of an upload.
	ingestionsKept = 30 * 24 * time.Hour
)

// Keeper makes the index equal to the store: it fills in what is missing, whatever the reason, and removes what is dead.
// It is safe for concurrent use, and by several replicas at once.
type Keeper struct {
	library *Library
	wake    chan struct{}

	mu sync.Mutex
	// complete holds the tenants that were seen whole; the others are not searched, because a search of half a
	// knowledge base would deny what the company has written.
	complete map[rag.Tenant]bool
	// claimed says that the store knows how this program makes indexes.
	claimed atomic.Bool
}

func newKeeper(l *Library) *Keeper {
	return &Keeper{library: l, wake: make(chan struct{}, 1), complete: map[rag.Tenant]bool{}}
}

// Check returns nil if a tenant's entries, as many as the knowledge base has passages, were seen in the index, now or before.
// It returns Unavailable while they are missing; they are being put back then.
func (k *Keeper) Check(ctx context.Context, tenant rag.Tenant, passages int) error {
	if k.isComplete(tenant) {
		return nil
	}
	n, err := k.library.index.Count(ctx, tenant)
	if err == nil && n >= passages {
		k.setComplete(tenant, true)
		return nil
	}
	k.rouse()
	return fault.New(fault.Unavailable, "INDEX_INCOMPLETE", "the search index is being filled again, try again").
		WithRetryAfter(retry).WithCause(err)
}

// Lost reports that a tenant's entries were not found where they should be.
func (k *Keeper) Lost(tenant rag.Tenant) {
	k.setComplete(tenant, false)
	k.rouse()
}

func (k *Keeper) isComplete(tenant rag.Tenant) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.complete[tenant]
}

func (k *Keeper) setComplete(tenant rag.Tenant, yes bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if yes {
		k.complete[tenant] = true
	} else {
		delete(k.complete, tenant)
	}
}

// rouse makes Run look at once.
func (k *Keeper) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run inspects the index at the start, every minute and when something was lost, until ctx ends. An index or a database
// that is away is waited for, whoever calls meanwhile.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		pause, wake := inspection, k.wake
		if err := k.Inspect(ctx); err != nil && ctx.Err() == nil {
			k.library.log.Warn("index not inspected", zap.Error(err))
			pause, wake = retry, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-wake:
			timer.Stop()
		}
	}
}

// Inspect compares the index with the store once, and repairs it.
func (k *Keeper) Inspect(ctx context.Context) error {
	if err := k.adopt(ctx); err != nil {
		return err
	}
	places, err := k.library.store.Placements(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, place := range places {
		if err := k.restore(ctx, place); err != nil {
			faults = append(faults, err)
			continue
		}
		if err := k.advance(ctx, place); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(append(faults, k.renew(ctx), k.clean(ctx))...)
}

// restore fills a knowledge base's tenant if entries are missing.
func (k *Keeper) restore(ctx context.Context, p rag.Placement) error {
	n, err := k.library.index.Count(ctx, p.Live())
	if err != nil && !errors.Is(err, weaviate.ErrMissing) {
		return err
	}
	if err == nil && n >= p.Passages {
		k.setComplete(p.Live(), true)
		return nil
	}
	if err := k.library.index.Ensure(ctx, p.Live()); err != nil {
		return err
	}
	if p.Passages == 0 {
		return nil
	}
	k.setComplete(p.Live(), false)
	if !p.Takes(k.library.index.Spec()) {
		return foreignIndex()
	}
	return k.refill(ctx, p)
}

// refill writes all current passages of a knowledge base into its index again, one document at a time.
func (k *Keeper) refill(ctx context.Context, p rag.Placement) error {
	versions, err := k.library.store.ActiveVersions(ctx, p.KnowledgeBase)
	if err != nil {
		return err
	}
	for _, id := range versions {
		if err := k.rewrite(ctx, p.Live(), id); err != nil {
			return err
		}
	}
	k.setComplete(p.Live(), true)
	k.library.log.Info("knowledge base indexed again",
		zap.String("knowledge_base", string(p.KnowledgeBase)), zap.Int("documents", len(versions)))
	return nil
}

// rewrite puts a version's passages into a tenant, a batch at a time. What is not current any more is taken out again.
func (k *Keeper) rewrite(ctx context.Context, in rag.Tenant, id rag.VersionID) error {
	v, found, err := k.library.store.Version(ctx, id)
	if err != nil || !found {
		return err
	}
	for part := range slices.Chunk(v.Passages, batch) {
		entries := make([]weaviate.Entry, len(part))
		for i, p := range part {
			p.Title = v.Title
			entries[i], _ = k.library.entry(v.ID, p)
		}
		if err := indexFailure(k.library.index.Put(ctx, in, entries)); err != nil {
			return err
		}
	}
	if _, found, err = k.library.store.Version(ctx, id); err != nil || found {
		return err
	}
	return k.library.index.DeleteVersion(ctx, in, id)
}

// renew makes passages again that an older program made in another way.
func (k *Keeper) renew(ctx context.Context) error {
	outdated, err := k.library.store.Outdated(ctx, recipe)
	if err != nil {
		return err
	}
	for _, id := range outdated {
		v, found, err := k.library.store.Version(ctx, id)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		v.ID, v.Recipe, v.Passages, v.Replaces = newVersion(), recipe, nil, id
		if _, _, err := k.library.process(ctx, v, k.library.direct()); err != nil {
			return err
		}
	}
	return nil
}

// clean removes what is dead.
func (k *Keeper) clean(ctx context.Context) error {
	garbage, err := k.library.store.Garbage(ctx, pendingLimit, garbageBatch)
	if err != nil {
		return err
	}
	for _, dead := range garbage {
		k.library.forget(ctx, dead)
	}
	deleted, err := k.library.store.DeletedKnowledgeBases(ctx)
	if err != nil {
		return err
	}
	for _, kb := range deleted {
		k.library.drop(ctx, kb)
	}
	if err := k.dropTenants(ctx); err != nil {
		return err
	}
	return k.library.store.PruneIngestions(ctx, ingestionsKept)
}
