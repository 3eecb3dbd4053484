package command

import (
	"context"
	"fmt"
	"time"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// reindexPause is how often it is asked how far an index is.
const reindexPause = time.Second

// reindexCommand makes search indexes anew.
type reindexCommand struct {
	KnowledgeBase string `default:"default" help:"The knowledge base."`
	All           bool   `help:"All knowledge bases."`
}

// Run starts it and waits for the end. Leaving earlier stops nothing.
func (c reindexCommand) Run(ctx context.Context, s session) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	bases := ragv1.NewKnowledgeBaseServiceClient(conn)
	names, err := c.names(ctx, bases)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := bases.ReindexKnowledgeBase(ctx, &ragv1.ReindexKnowledgeBaseRequest{Name: name}); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := awaitIndex(ctx, bases, name, s); err != nil {
			return err
		}
	}
	return nil
}

func (c reindexCommand) names(ctx context.Context, bases ragv1.KnowledgeBaseServiceClient) ([]string, error) {
	if !c.All {
		return []string{c.KnowledgeBase}, nil
	}
	var names []string
	for token := ""; ; {
		r, err := bases.ListKnowledgeBases(ctx, &ragv1.ListKnowledgeBasesRequest{PageSize: 1000, PageToken: token})
		if err != nil {
			return nil, err
		}
		for _, kb := range r.GetKnowledgeBases() {
			names = append(names, kb.GetName())
		}
		if token = r.GetNextPageToken(); token == "" {
			return names, nil
		}
	}
}

func awaitIndex(ctx context.Context, bases ragv1.KnowledgeBaseServiceClient, name string, s session) error {
	line := newStatusLine(s.out, name+": ")
	for {
		r, err := bases.GetKnowledgeBase(ctx, &ragv1.GetKnowledgeBaseRequest{Name: name})
		if err != nil {
			return err
		}
		kb := r.GetKnowledgeBase()
		if !kb.GetReindexing() {
			line.end(fmt.Sprintf("%d passages indexed anew", kb.GetPassageCount()))
			return nil
		}
		line.show(fmt.Sprintf("%s %d of %d passages", bar(int64(kb.GetReindexedPassageCount()), int64(kb.GetPassageCount())), kb.GetReindexedPassageCount(), kb.GetPassageCount()))
		select {
		case <-time.After(reindexPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
