package ingestion

import (
	"context"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// Delete removes a document; when it returns, no search finds it. It returns NotFound if there is none.
func (l *Library) Delete(ctx context.Context, id rag.DocumentID) error {
	dead, err := l.store.DeleteDocument(ctx, id)
	if err != nil {
		return err
	}
	l.forget(ctx, dead)
	return nil
}

// Withdraw removes the document of a name, if there is one, and gives up what was uploaded for it.
func (l *Library) Withdraw(ctx context.Context, kb rag.KnowledgeBaseID, name string) error {
	if err := l.store.Supersede(ctx, kb, name); err != nil {
		return err
	}
	id, found, err := l.store.DocumentNamed(ctx, kb, name)
	if err != nil || !found {
		return err
	}
	if err := l.Delete(ctx, id); fault.KindOf(err) != fault.NotFound { // that is gone already
		return err
	}
	return nil
}

// forget removes a dead version from the index and then from the store. If that fails now, the keeper does it later;
// nothing finds it meanwhile, because every hit is checked against the store.
func (l *Library) forget(ctx context.Context, dead rag.Garbage) {
	err := l.unindex(ctx, dead)
	if err == nil {
		err = l.store.Remove(ctx, dead.Version)
	}
	if err != nil {
		l.log.Warn("dead version left for later", zap.String("version", string(dead.Version)), zap.Error(err))
	}
}

// unindex removes a version from the index that is searched, and from the one that is being made beside it.
func (l *Library) unindex(ctx context.Context, dead rag.Garbage) error {
	place, err := l.store.Placement(ctx, dead.KnowledgeBase)
	if err != nil {
		return err
	}
	if err := l.index.DeleteVersion(ctx, place.Live(), dead.Version); err != nil || place.Next == 0 {
		return err
	}
	return l.index.DeleteVersion(ctx, place.Beside(), dead.Version)
}
