package rpcapi

import (
	"context"
	"strings"
	"time"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// UsageStore reads what models cost.
type UsageStore interface {
	// Usage lists up to limit sums by day, knowledge base and model.
	Usage(ctx context.Context, f rag.UsageFilter, limit int) ([]rag.DailyUsage, error)
}

// Usages serves UsageService.
type Usages struct {
	ragv1.UnimplementedUsageServiceServer
	store UsageStore
}

// NewUsages returns the handlers of UsageService.
func NewUsages(store UsageStore) *Usages { return &Usages{store: store} }

// ListUsage lists sums.
func (s *Usages) ListUsage(ctx context.Context, r *ragv1.ListUsageRequest) (*ragv1.ListUsageResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	filter, of, err := usageFilter(r)
	if err != nil {
		return nil, err
	}
	list, err := s.store.Usage(ctx, filter, size+1)
	if err != nil {
		return nil, err
	}
	list, next := page(list, size, usageKey, of)
	return &ragv1.ListUsageResponse{Usage: usageProtos(list), NextPageToken: next}, nil
}

// usageFilter also returns the name of the list, which its page tokens hold.
func usageFilter(r *ragv1.ListUsageRequest) (f rag.UsageFilter, of string, err error) {
	if !isText(r.GetKnowledgeBase()) {
		return f, "", fault.New(fault.Invalid, "KNOWLEDGE_BASE", "knowledge_base is no name")
	}
	f.KnowledgeBase = r.GetKnowledgeBase()
	if f.From, err = day(r.GetStartDay()); err != nil {
		return f, "", err
	}
	if f.To, err = day(r.GetEndDay()); err != nil {
		return f, "", err
	}
	of = "usage " + f.KnowledgeBase
	after, err := pageStart(of, r.GetPageToken())
	if parts := strings.SplitN(after, " ", 3); err == nil && len(parts) == 3 {
		f.After.KnowledgeBase, f.After.Model = parts[1], parts[2]
		f.After.Day, err = day(parts[0])
	}
	return f, of, err
}

func usageKey(u rag.DailyUsage) string {
	return strings.Join([]string{u.Day.Format(time.DateOnly), u.KnowledgeBase, u.Model}, " ")
}

// day is the zero time for "".
func day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "DAY", "a day is written as 2026-11-26")
	}
	return t, nil
}

func usageProtos(list []rag.DailyUsage) []*ragv1.DailyUsage {
	out := make([]*ragv1.DailyUsage, len(list))
	for i, u := range list {
		out[i] = &ragv1.DailyUsage{
			Day: u.Day.Format(time.DateOnly), KnowledgeBase: u.KnowledgeBase, Model: u.Model, Answers: u.Answers,
			InputTokens: u.InputTokens, OutputTokens: u.OutputTokens, CostMicros: u.CostMicros,
		}
	}
	return out
}
