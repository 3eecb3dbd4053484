package ingestion

import (
	"context"
	"regexp"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

var knowledgeBaseName = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)

// CreateKnowledgeBase makes an empty one. It returns Invalid for a bad name and Conflict for one that is taken.
func (l *Library) CreateKnowledgeBase(ctx context.Context, name, displayName string) (rag.KnowledgeBase, error) {
	if !knowledgeBaseName.MatchString(name) {
		return rag.KnowledgeBase{}, invalid("KNOWLEDGE_BASE_NAME", "name must be 1 to 63 of a-z, 0-9 and -")
	}
	if displayName == "" {
		displayName = name
	}
	if !isName(displayName) {
		return rag.KnowledgeBase{}, badDisplayName()
	}
	return l.store.CreateKnowledgeBase(ctx, name, displayName)
}

func badDisplayName() error {
	return invalid("DISPLAY_NAME", "display_name must be at most 256 bytes without control characters")
}

// UpdateKnowledgeBase changes one. It returns Invalid for a bad display name or a threshold that is none, and NotFound if there
// is no such knowledge base.
func (l *Library) UpdateKnowledgeBase(ctx context.Context, name string, edit rag.KnowledgeBaseEdit) (rag.KnowledgeBase, error) {
	if edit.DisplayName != nil && *edit.DisplayName != "" && !isName(*edit.DisplayName) {
		return rag.KnowledgeBase{}, badDisplayName()
	}
	if t := edit.AnswerThreshold; t != nil && !(*t >= 0 && *t <= 1) { // NaN is none either
		return rag.KnowledgeBase{}, invalid("ANSWER_THRESHOLD", "answer_threshold must be between 0 and 1")
	}
	return l.store.UpdateKnowledgeBase(ctx, name, edit)
}

// DeleteKnowledgeBase removes a knowledge base with all its documents. It returns NotFound if there is none and
// Precondition for the default one.
func (l *Library) DeleteKnowledgeBase(ctx context.Context, name string) error {
	if name == rag.DefaultKnowledgeBase {
		return fault.New(fault.Precondition, "DEFAULT_KNOWLEDGE_BASE", "the knowledge base \"default\" cannot be deleted")
	}
	id, err := l.store.DeleteKnowledgeBase(ctx, name)
	if err != nil {
		return err
	}
	l.drop(ctx, id)
	return nil
}

// drop removes a deleted knowledge base from the index and then its tombstone; if that fails now, the keeper does it.
func (l *Library) drop(ctx context.Context, id rag.KnowledgeBaseID) {
	place, err := l.store.Placement(ctx, id)
	if err == nil {
		err = l.index.Drop(ctx, place.Live())
	}
	if err == nil && place.Next != 0 {
		err = l.index.Drop(ctx, place.Beside())
	}
	if err == nil {
		err = l.store.RemoveKnowledgeBase(ctx, id)
	}
	if err != nil {
		l.log.Warn("deleted knowledge base left for later", zap.String("knowledge_base", string(id)), zap.Error(err))
	}
}
