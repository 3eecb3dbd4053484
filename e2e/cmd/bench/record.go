package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// searchMethod is Weaviate's.
const searchMethod = "/weaviate.v1.Weaviate/Search"

// frame is a message that is passed on as it is.
type frame []byte

// rawCodec passes frames through.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, fmt.Errorf("%T is no frame", v)
	}
	return *f, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("%T is no frame", v)
	}
	*f = append(frame(nil), data...)
	return nil
}

// recorder stands between rag and Weaviate and keeps what is searched, so that the very same requests can be made without rag.
type recorder struct {
	addr   string
	server *grpc.Server
	conn   *grpc.ClientConn

	mu       sync.Mutex
	searches []frame
}

func record(ctx context.Context, weaviate string) (*recorder, error) {
	conn, err := dialRaw(weaviate)
	if err != nil {
		return nil, err
	}
	r := &recorder{conn: conn}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	r.addr = listener.Addr().String()
	r.server = grpc.NewServer(grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(r.pass), grpc.MaxRecvMsgSize(64<<20))
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func dialRaw(addr string) (*grpc.ClientConn, error) {
	return grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)))
}

// pass forwards a call of one message each way.
func (r *recorder) pass(_ any, stream grpc.ServerStream) error {
	var in, out frame
	if err := stream.RecvMsg(&in); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	method, _ := grpc.MethodFromServerStream(stream)
	if method == searchMethod {
		r.mu.Lock()
		r.searches = append(r.searches, in)
		r.mu.Unlock()
	}
	ctx := stream.Context()
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, metadata.MD{"authorization": md.Get("authorization")})
	}
	if err := r.conn.Invoke(ctx, method, &in, &out); err != nil {
		return err
	}
	return stream.SendMsg(&out)
}

func (r *recorder) stop() {
	r.server.Stop()
	_ = r.conn.Close()
}

// recorded are the searches so far.
func (r *recorder) recorded() []frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.searches
}
