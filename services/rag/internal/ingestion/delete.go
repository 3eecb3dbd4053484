package ingestion

import (
	"context"

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
