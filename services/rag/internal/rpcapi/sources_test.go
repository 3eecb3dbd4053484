package rpcapi_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

func TestSources(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	var ids []string
	for _, address := range []string{"https://tienda.example/sitemap.xml", "https://tienda.example/ayuda", "https://tienda.example/envios"} {
		r, err := b.sources.CreateSource(ctx, &ragv1.CreateSourceRequest{
			Url: address, RefreshInterval: durationpb.New(time.Hour), Audience: ragv1.Audience_AUDIENCE_INTERNAL,
		})
		require.NoError(t, err)
		ids = append(ids, r.GetSource().GetId())
	}
	got, err := b.sources.GetSource(ctx, &ragv1.GetSourceRequest{Id: ids[0]})
	require.NoError(t, err)
	s := got.GetSource()
	require.Equal(t, "default", s.GetKnowledgeBase())
	require.Equal(t, ragv1.Source_KIND_SITEMAP, s.GetKind())
	require.Equal(t, time.Hour, s.GetRefreshInterval().AsDuration())
	require.Equal(t, ragv1.Audience_AUDIENCE_INTERNAL, s.GetAudience())
	require.Nil(t, s.GetRefreshTime())
	require.NotNil(t, s.GetNextRefreshTime())
	require.False(t, s.GetRefreshing())

	var listed []string
	for token := ""; ; {
		page, err := b.sources.ListSources(ctx, &ragv1.ListSourcesRequest{PageSize: 2, PageToken: token})
		require.NoError(t, err)
		for _, s := range page.GetSources() {
			listed = append(listed, s.GetUrl())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	require.Equal(t, []string{"https://tienda.example/ayuda", "https://tienda.example/envios", "https://tienda.example/sitemap.xml"}, listed)

	// No server has this name: the page says that it failed.
	_, err = b.inside.Crawler.Next(ctx)
	require.NoError(t, err)
	_, err = b.sources.RefreshSource(ctx, &ragv1.RefreshSourceRequest{Id: ids[1]})
	require.NoError(t, err)
	for worked := true; worked; {
		worked, err = b.inside.Crawler.Next(ctx)
		require.NoError(t, err)
	}
	pages, err := b.sources.ListSourcePages(ctx, &ragv1.ListSourcePagesRequest{Id: ids[1]})
	require.NoError(t, err)
	require.Len(t, pages.GetPages(), 1)
	require.Equal(t, "https://tienda.example/ayuda", pages.GetPages()[0].GetUrl())
	require.NotEmpty(t, pages.GetPages()[0].GetReason())
	require.NotNil(t, pages.GetPages()[0].GetFetchTime())

	_, err = b.sources.DeleteSource(ctx, &ragv1.DeleteSourceRequest{Id: ids[1]})
	require.NoError(t, err)
	_, err = b.sources.GetSource(ctx, &ragv1.GetSourceRequest{Id: ids[1]})
	requireStatus(t, err, codes.NotFound, "SOURCE_NOT_FOUND")
}

func TestSourcesAreRefusedWithTheirReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	create := func(r *ragv1.CreateSourceRequest) error {
		_, err := b.sources.CreateSource(ctx, r)
		return err
	}
	requireStatus(t, create(&ragv1.CreateSourceRequest{Url: "no"}), codes.InvalidArgument, "SOURCE_URL")
	requireStatus(t, create(&ragv1.CreateSourceRequest{Url: "https://a.example", RefreshInterval: durationpb.New(time.Second)}),
		codes.InvalidArgument, "REFRESH_INTERVAL")
	requireStatus(t, create(&ragv1.CreateSourceRequest{Url: "https://a.example", Audience: 99}), codes.InvalidArgument, "AUDIENCE")
	requireStatus(t, create(&ragv1.CreateSourceRequest{Url: "https://a.example", KnowledgeBase: "otra"}), codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND")
	require.NoError(t, create(&ragv1.CreateSourceRequest{Url: "https://a.example"}))
	requireStatus(t, create(&ragv1.CreateSourceRequest{Url: "https://a.example"}), codes.AlreadyExists, "SOURCE_EXISTS")
	for _, id := range []string{"", "x", uuid.NewString()} {
		_, err := b.sources.RefreshSource(ctx, &ragv1.RefreshSourceRequest{Id: id})
		requireStatus(t, err, codes.NotFound, "SOURCE_NOT_FOUND")
		_, err = b.sources.DeleteSource(ctx, &ragv1.DeleteSourceRequest{Id: id})
		requireStatus(t, err, codes.NotFound, "SOURCE_NOT_FOUND")
		_, err = b.sources.ListSourcePages(ctx, &ragv1.ListSourcePagesRequest{Id: id})
		requireStatus(t, err, codes.NotFound, "SOURCE_NOT_FOUND")
	}
	_, err := b.sources.ListSources(ctx, &ragv1.ListSourcesRequest{PageSize: -1})
	requireStatus(t, err, codes.InvalidArgument, "PAGE_SIZE")
}
