package command

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/knobot/knobot/cli/internal/present"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// sourcesCommand keeps web addresses that documents come from.
type sourcesCommand struct {
	List    sourcesListCommand    `cmd:"" default:"withargs" help:"List the web addresses that documents come from."`
	Pages   sourcesPagesCommand   `cmd:"" help:"List the pages of one, with what became of each."`
	Refresh sourcesRefreshCommand `cmd:"" help:"Fetch one again now, in the background."`
	Delete  sourcesDeleteCommand  `cmd:"" help:"Delete one with the documents that came of it."`
}

// onSources calls f with the service.
func onSources(ctx context.Context, s session, f func(context.Context, ragv1.SourceServiceClient) error) error {
	return call(ctx, s, ragv1.NewSourceServiceClient, f)
}

type sourcesListCommand struct {
	KnowledgeBase string `default:"default" help:"The knowledge base."`
}

// Run prints one line per source.
func (c sourcesListCommand) Run(ctx context.Context, s session) error {
	return onSources(ctx, s, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		all := &ragv1.ListSourcesResponse{}
		for token := ""; ; {
			r, err := sources.ListSources(ctx, &ragv1.ListSourcesRequest{KnowledgeBase: c.KnowledgeBase, PageSize: 1000, PageToken: token})
			if err != nil {
				return err
			}
			all.Sources = append(all.Sources, r.GetSources()...)
			if token = r.GetNextPageToken(); token == "" {
				return s.show(all, func() present.Table { return sourceTable(all.GetSources()) })
			}
		}
	})
}

func sourceTable(sources []*ragv1.Source) present.Table {
	t := present.Table{Header: []string{"ID", "ADDRESS", "PAGES", "FAILED", "REFRESHED", "NEXT", "REASON"}}
	for _, source := range sources {
		next := moment(source.GetNextRefreshTime())
		if source.GetRefreshing() {
			next = "now"
		}
		t.Add(source.GetId(), source.GetUrl(), source.GetPageCount(), source.GetFailedPageCount(), moment(source.GetRefreshTime()), next, source.GetReason())
	}
	return t
}

type sourcesPagesCommand struct {
	ID string `arg:"" help:"Id of the source."`
}

// Run prints one line per page.
func (c sourcesPagesCommand) Run(ctx context.Context, s session) error {
	return onSources(ctx, s, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		all := &ragv1.ListSourcePagesResponse{}
		for token := ""; ; {
			r, err := sources.ListSourcePages(ctx, &ragv1.ListSourcePagesRequest{Id: c.ID, PageSize: 1000, PageToken: token})
			if err != nil {
				return err
			}
			all.Pages = append(all.Pages, r.GetPages()...)
			if token = r.GetNextPageToken(); token == "" {
				return s.show(all, func() present.Table { return pageTable(all.GetPages()) })
			}
		}
	})
}

func pageTable(pages []*ragv1.SourcePage) present.Table {
	t := present.Table{Header: []string{"ADDRESS", "FETCHED", "REASON"}}
	for _, p := range pages {
		t.Add(p.GetUrl(), moment(p.GetFetchTime()), p.GetReason())
	}
	return t
}

type sourcesRefreshCommand struct {
	ID string `arg:"" help:"Id of the source."`
}

// Run asks for it.
func (c sourcesRefreshCommand) Run(ctx context.Context, s session) error {
	return onSources(ctx, s, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		r, err := sources.RefreshSource(ctx, &ragv1.RefreshSourceRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "%s is being fetched", r.GetSource().GetUrl())
	})
}

type sourcesDeleteCommand struct {
	IDs []string `arg:"" name:"id" help:"Ids, as the list shows them."`
}

// Run deletes them.
func (c sourcesDeleteCommand) Run(ctx context.Context, s session) error {
	return onSources(ctx, s, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		for _, id := range c.IDs {
			r, err := sources.DeleteSource(ctx, &ragv1.DeleteSourceRequest{Id: id})
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			if err := s.done(r, "%s deleted", id); err != nil {
				return err
			}
		}
		return nil
	})
}

// isWebAddress tells a source from a file.
func isWebAddress(path string) bool {
	u, err := url.Parse(path)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// addSource adds a web address.
func addSource(ctx context.Context, sources ragv1.SourceServiceClient, r *ragv1.CreateSourceRequest) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	created, err := sources.CreateSource(ctx, r)
	if status.Code(err) == codes.AlreadyExists {
		return "is a source already; `knobot sources` shows it, and refreshes it", nil
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("source %s is being fetched; `knobot sources` shows how it goes", created.GetSource().GetId()), nil
}

// interval is absent for the service's own.
func interval(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}
