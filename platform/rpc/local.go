package rpc

import (
	"context"
	"strings"

	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Local calls services of its own process without a connection, through the chain of NewServer. It takes the place of a
// client connection in generated clients, for unary calls. A connection in memory costs half of what the call itself does
// (docs/architecture/performance.md).
type Local struct {
	chain   []link
	tracer  trace.Tracer
	methods map[string]localMethod
}

type localMethod struct {
	handler grpc.MethodHandler
	impl    any
}

var (
	_ grpc.ClientConnInterface = (*Local)(nil)
	_ grpc.ServiceRegistrar    = (*Local)(nil)
)

// NewLocal returns one without services.
func NewLocal(log *zap.Logger, opts ...Option) *Local {
	o := newOptions(DefaultServerDeadline, opts)
	return &Local{
		chain: serverChain(log, o), tracer: o.tracer.Tracer("github.com/knobot/knobot/platform/rpc"), methods: map[string]localMethod{},
	}
}

// RegisterService adds a service. It must not run beside a call.
func (l *Local) RegisterService(d *grpc.ServiceDesc, impl any) {
	for _, m := range d.Methods {
		l.methods["/"+d.ServiceName+"/"+m.MethodName] = localMethod{m.Handler, impl}
	}
}

// Invoke calls a method. The request must not be changed while it runs: it is handed over, not copied.
func (l *Local) Invoke(ctx context.Context, method string, request, response any, opts ...grpc.CallOption) error {
	m, ok := l.methods[method]
	if !ok {
		return status.Errorf(codes.Unimplemented, "no method %s here", method)
	}
	head := &localHead{method: method}
	ctx, span := l.tracer.Start(received(ctx, head), strings.TrimPrefix(method, "/"), trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	out, err := m.handler(m.impl, ctx, func(in any) error { return share(in, request) }, l.intercept)
	head.tell(opts)
	if err != nil {
		span.SetStatus(otelcodes.Error, status.Code(err).String())
		return err
	}
	return share(response, out)
}

// NewStream refuses: streams need a connection.
func (l *Local) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "streams need a connection")
}

func (l *Local) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	next := handler
	for n := len(l.chain) - 1; n >= 0; n-- {
		inner, outer := next, l.chain[n].unary
		next = func(ctx context.Context, request any) (any, error) { return outer(ctx, request, info, inner) }
	}
	return next(ctx, request)
}

// received is the context of a server whom this one called: what the caller sends has come in, and nothing is passed on by itself.
func received(ctx context.Context, head *localHead) context.Context {
	md, _ := metadata.FromOutgoingContext(ctx)
	ctx = metadata.NewOutgoingContext(metadata.NewIncomingContext(ctx, md), nil)
	return grpc.NewContextWithServerTransportStream(ctx, head)
}

// share gives one message the fields of another of the same type.
func share(to, from any) error {
	a, ok1 := to.(proto.Message)
	b, ok2 := from.(proto.Message)
	if !ok1 || !ok2 {
		return status.Errorf(codes.Internal, "%T is no message", from)
	}
	target := a.ProtoReflect()
	b.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		target.Set(f, v)
		return true
	})
	return nil
}

// localHead collects what a handler says before and after its answer.
type localHead struct {
	method          string
	header, trailer metadata.MD
}

func (h *localHead) Method() string { return h.method }

func (h *localHead) SetHeader(md metadata.MD) error {
	h.header = metadata.Join(h.header, md)
	return nil
}

func (h *localHead) SendHeader(md metadata.MD) error { return h.SetHeader(md) }

func (h *localHead) SetTrailer(md metadata.MD) error {
	h.trailer = metadata.Join(h.trailer, md)
	return nil
}

// tell hands it to the caller, as far as that one asked.
func (h *localHead) tell(opts []grpc.CallOption) {
	for _, o := range opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = h.header
		case grpc.TrailerCallOption:
			*o.TrailerAddr = h.trailer
		}
	}
}
