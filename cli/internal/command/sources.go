package command

import (
	"context"
	"fmt"
	"net/url"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// sourcesCommand keeps web addresses that documents come from.
type sourcesCommand struct {
	List    sourcesListCommand    `cmd:"" default:"withargs" help:"List the web addresses that documents come from."`
	Pages   sourcesPagesCommand   `cmd:"" help:"List the pages of one, with what became of each."`
	Refresh sourcesRefreshCommand `cmd:"" help:"Fetch one again now, in the background."`
	Delete  sourcesDeleteCommand  `cmd:"" help:"Delete one with the documents that came of it."`
}

// onSources calls a command with the service, for a bounded time.
func onSources(ctx context.Context, peer ragPeer, call func(ctx context.Context, sources ragv1.SourceServiceClient) error) error {
	conn, err := dial(peer.RAG)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return call(ctx, ragv1.NewSourceServiceClient(conn))
}

type sourcesListCommand struct {
	ragPeer
	KnowledgeBase string `default:"default" help:"The knowledge base."`
}

// Run prints one line per source.
func (c sourcesListCommand) Run(ctx context.Context, s streams) error {
	return onSources(ctx, c.ragPeer, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tADDRESS\tPAGES\tFAILED\tREFRESHED\tNEXT\tREASON")
		for token := ""; ; {
			r, err := sources.ListSources(ctx, &ragv1.ListSourcesRequest{KnowledgeBase: c.KnowledgeBase, PageSize: 1000, PageToken: token})
			if err != nil {
				return err
			}
			for _, source := range r.GetSources() {
				next := moment(source.GetNextRefreshTime())
				if source.GetRefreshing() {
					next = "now"
				}
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", source.GetId(), source.GetUrl(), source.GetPageCount(),
					source.GetFailedPageCount(), moment(source.GetRefreshTime()), next, source.GetReason())
			}
			if token = r.GetNextPageToken(); token == "" {
				return w.Flush()
			}
		}
	})
}

// moment is a time in the reader's zone.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().Local().Format(time.DateTime)
}

type sourcesPagesCommand struct {
	ragPeer
	ID string `arg:"" help:"Id of the source."`
}

// Run prints one line per page.
func (c sourcesPagesCommand) Run(ctx context.Context, s streams) error {
	return onSources(ctx, c.ragPeer, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "ADDRESS\tFETCHED\tREASON")
		for token := ""; ; {
			r, err := sources.ListSourcePages(ctx, &ragv1.ListSourcePagesRequest{Id: c.ID, PageSize: 1000, PageToken: token})
			if err != nil {
				return err
			}
			for _, p := range r.GetPages() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", p.GetUrl(), moment(p.GetFetchTime()), p.GetReason())
			}
			if token = r.GetNextPageToken(); token == "" {
				return w.Flush()
			}
		}
	})
}

type sourcesRefreshCommand struct {
	ragPeer
	ID string `arg:"" help:"Id of the source."`
}

// Run asks for it.
func (c sourcesRefreshCommand) Run(ctx context.Context, s streams) error {
	return onSources(ctx, c.ragPeer, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		r, err := sources.RefreshSource(ctx, &ragv1.RefreshSourceRequest{Id: c.ID})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, r.GetSource().GetUrl(), "is being fetched")
		return err
	})
}

type sourcesDeleteCommand struct {
	ragPeer
	IDs []string `arg:"" name:"id" help:"Ids, as the list shows them."`
}

// Run deletes them.
func (c sourcesDeleteCommand) Run(ctx context.Context, s streams) error {
	return onSources(ctx, c.ragPeer, func(ctx context.Context, sources ragv1.SourceServiceClient) error {
		for _, id := range c.IDs {
			if _, err := sources.DeleteSource(ctx, &ragv1.DeleteSourceRequest{Id: id}); err != nil {
				return fmt.Errorf("%s: %s", id, readable(err))
			}
			fmt.Fprintln(s.out, id, "deleted")
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
