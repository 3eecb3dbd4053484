// Package weaviate keeps the passages' terms in Weaviate and searches them. Every knowledge base has tenants of its own, so that no
// search ever sees another's passages. Weaviate is an index only: all it holds can be made again from PostgreSQL.
//
// Schema, tenants, writing and deleting go through Weaviate's client v4; searching goes over Weaviate's own gRPC API,
// which takes a quarter of the CPU of the client's GraphQL and breaks on no character.
package weaviate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	client "github.com/weaviate/weaviate-go-client/v4/weaviate"
	clientgrpc "github.com/weaviate/weaviate-go-client/v4/weaviate/grpc"
	pb "github.com/weaviate/weaviate/grpc/generated/protocol/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

var (
	// ErrMissing says that the class or the tenant is not there: the index has to be filled again.
	ErrMissing = errors.New("weaviate: no such class or tenant")
	// ErrUnavailable says that Weaviate could not be asked, or could not answer.
	ErrUnavailable = errors.New("weaviate: unavailable")
)

const (
	// callTimeout bounds every call but a search.
	callTimeout = 30 * time.Second
	// searchTimeout bounds a search, of which a customer waits for the answer.
	searchTimeout = 5 * time.Second
)

// Config says where Weaviate is.
type Config struct {
	// URL is the address of the REST API, http or https; with https gRPC is encrypted and verified too.
	URL string
	// GRPCAddr is host:port of the gRPC API.
	GRPCAddr string
	// APIKey is empty for a server without authentication.
	APIKey string
}

// Index is a connection. It is safe for concurrent use.
type Index struct {
	base   *url.URL
	config Config
	conn   *grpc.ClientConn
	search pb.WeaviateClient

	mu     sync.Mutex
	client *client.Client
}

// Open prepares a connection; Weaviate need not be there yet.
func Open(cfg Config, opts ...grpc.DialOption) (*Index, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("weaviate: the URL must be http://host:port or https://host:port")
	}
	transport := insecure.NewCredentials()
	if base.Scheme == "https" {
		transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	conn, err := grpc.NewClient(cfg.GRPCAddr, append(opts, grpc.WithTransportCredentials(transport))...)
	if err != nil {
		return nil, fmt.Errorf("weaviate: %w", err)
	}
	return &Index{base: base, config: cfg, conn: conn, search: pb.NewWeaviateClient(conn)}, nil
}

// Close ends the connection.
func (x *Index) Close() error { return x.conn.Close() }

// v4 returns the one client of this process, made when Weaviate is first seen ready. Client v4.16.1 asks for the server's
// version when it is made, and again, unsynchronised, at every batch until it got one. Its AuthConfig is not used: it
// drops a connection whose finalizer blocks the finalizers of the whole process (read in connection.go of v4.16.1).
func (x *Index) v4(ctx context.Context) (*client.Client, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.client != nil {
		return x.client, nil
	}
	if err := x.ready(ctx); err != nil {
		return nil, err
	}
	cfg := client.Config{Host: x.base.Host, Scheme: x.base.Scheme, Timeout: callTimeout, Headers: x.headers()}
	if x.base.Scheme == "http" {
		// With TLS the client's gRPC would not verify the server (v4.16.1, connection/grpc.go), so it writes by REST.
		cfg.GrpcConfig = &clientgrpc.Config{Host: x.config.GRPCAddr}
	}
	made, err := client.NewClient(cfg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	x.client = made
	return made, nil
}

// ready asks whether Weaviate is up and lets us in.
func (x *Index) ready(ctx context.Context) error { return x.get(ctx, "meta", nil) }

func (x *Index) headers() map[string]string {
	if x.config.APIKey == "" {
		return nil
	}
	return map[string]string{"Authorization": "Bearer " + x.config.APIKey}
}

// outgoing adds the key to a gRPC call.
func (x *Index) outgoing(ctx context.Context) context.Context {
	if x.config.APIKey == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+x.config.APIKey)
}
