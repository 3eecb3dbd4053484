package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/service"
)

// Keys says who may call the management API.
type Keys interface {
	// Check returns nil for a key that is known, else an error that the caller may read.
	Check(ctx context.Context, key string) error
}

// management is the connection behind the admin address: it asks for a key and passes calls on to the services.
func management(cfg Config, s *service.Service) grpc.ClientConnInterface {
	return &guarded{keys: oneKey{cfg.AdminKey}, services: map[string]grpc.ClientConnInterface{
		"knobot.conversation.v1": s.Dial(cfg.ConversationAddr),
		"knobot.rag.v1":          s.Dial(cfg.RAGAddr),
		"knobot.channels.v1":     s.Dial(cfg.ChannelsAddr),
	}}
}

// guarded passes calls with a key on, by the package of their service.
type guarded struct {
	keys     Keys
	services map[string]grpc.ClientConnInterface
}

// Invoke makes a unary call.
func (g *guarded) Invoke(ctx context.Context, method string, request, response any, opts ...grpc.CallOption) error {
	ctx, conn, err := g.admit(ctx, method)
	if err != nil {
		return err
	}
	return conn.Invoke(ctx, method, request, response, opts...)
}

// NewStream begins a stream.
func (g *guarded) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, conn, err := g.admit(ctx, method)
	if err != nil {
		return nil, err
	}
	return conn.NewStream(ctx, desc, method, opts...)
}

// admit checks the key, which goes no further.
func (g *guarded) admit(ctx context.Context, method string) (context.Context, grpc.ClientConnInterface, error) {
	md, _ := metadata.FromOutgoingContext(ctx)
	md = md.Copy()
	given := md.Get("authorization")
	delete(md, "authorization")
	scheme, key, _ := strings.Cut(strings.Join(given, ","), " ")
	if !strings.EqualFold(scheme, "bearer") {
		key = ""
	}
	if err := g.keys.Check(ctx, key); err != nil {
		return nil, nil, err
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	conn, ok := g.services[service[:max(0, strings.LastIndex(service, "."))]]
	if !ok {
		return nil, nil, fault.New(fault.NotFound, "NO_SERVICE", "there is no such service")
	}
	return metadata.NewOutgoingContext(ctx, md), conn, nil
}

// oneKey knows the key of the environment, and without one nobody's.
type oneKey struct{ key env.Secret }

// Check compares digests, so that neither length nor content shows in the time that it takes.
func (k oneKey) Check(_ context.Context, key string) error {
	want, got := sha256.Sum256([]byte(k.key.Reveal())), sha256.Sum256([]byte(key))
	if !k.key.IsSet() || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return fault.New(fault.Unauthenticated, "KEY_REFUSED", "a key of the management API is needed: Authorization: Bearer …")
	}
	return nil
}
