package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/fault"
)

// peer is a connection that keeps what it was asked.
type peer struct {
	grpc.ClientConnInterface
	methods []string
	md      metadata.MD
}

func (p *peer) Invoke(ctx context.Context, method string, _, _ any, _ ...grpc.CallOption) error {
	p.methods = append(p.methods, method)
	p.md, _ = metadata.FromOutgoingContext(ctx)
	return nil
}

func (p *peer) NewStream(ctx context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, p.Invoke(ctx, method, nil, nil)
}

func TestManagement(t *testing.T) {
	t.Parallel()
	const (
		key    = "key-of-the-tests"
		method = "/knobot.rag.v1.UsageService/ListUsage"
	)
	setup := func(key env.Secret) (*guarded, *peer) {
		p := &peer{}
		return &guarded{keys: oneKey{key}, services: map[string]grpc.ClientConnInterface{"knobot.rag.v1": p}}, p
	}
	call := func(t *testing.T, g *guarded, method string, pairs ...string) (unary, stream error) {
		t.Helper()
		ctx := metadata.AppendToOutgoingContext(t.Context(), pairs...)
		unary = g.Invoke(ctx, method, &emptypb.Empty{}, &emptypb.Empty{})
		_, stream = g.NewStream(ctx, &grpc.StreamDesc{}, method)
		return unary, stream
	}

	t.Run("KeyOpensAndGoesNoFurther", func(t *testing.T) {
		t.Parallel()
		g, p := setup(key)
		unary, stream := call(t, g, method, "authorization", "Bearer "+key, "x-request-id", "1")
		require.NoError(t, unary)
		require.NoError(t, stream)
		require.Equal(t, []string{method, method}, p.methods)
		require.Equal(t, metadata.MD{"x-request-id": {"1"}}, p.md)
	})

	t.Run("AnythingElseIsRefused", func(t *testing.T) {
		t.Parallel()
		g, p := setup(key)
		for _, pairs := range [][]string{
			nil,
			{"authorization", ""},
			{"authorization", "Bearer"},
			{"authorization", "Bearer "},
			{"authorization", "Bearer x"},
			{"authorization", "Basic " + key},
			{"authorization", key},
			{"authorization", "Bearer " + key + "x"},
			{"authorization", "Bearer x", "authorization", "Bearer " + key},
		} {
			unary, stream := call(t, g, method, pairs...)
			require.Equal(t, fault.Unauthenticated, fault.KindOf(unary), pairs)
			require.Equal(t, fault.Unauthenticated, fault.KindOf(stream), pairs)
		}
		require.Empty(t, p.methods)
	})

	t.Run("WithoutAKeyItIsClosed", func(t *testing.T) {
		t.Parallel()
		g, p := setup("")
		for _, given := range []string{"", "Bearer", "Bearer "} {
			unary, stream := call(t, g, method, "authorization", given)
			require.Equal(t, fault.Unauthenticated, fault.KindOf(unary))
			require.Equal(t, fault.Unauthenticated, fault.KindOf(stream))
		}
		require.Empty(t, p.methods)
	})

	t.Run("ServiceThatIsNotOnesOwnIsRefused", func(t *testing.T) {
		t.Parallel()
		g, _ := setup(key)
		for _, method := range []string{"/knobot.other.v1.S/M", "/S/M", "", "knobot"} {
			unary, stream := call(t, g, method, "authorization", "Bearer "+key)
			require.Equal(t, fault.NotFound, fault.KindOf(unary), method)
			require.Equal(t, fault.NotFound, fault.KindOf(stream), method)
		}
	})
}
