package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/knobot/knobot/platform/rpc"
)

// received is a call that a service got.
type received struct {
	method   string
	metadata metadata.MD
	messages []*emptypb.Empty // of any type: their fields are unknown to it.
}

// into decodes a message of the call.
func (r received) into(t *testing.T, n int, m proto.Message) {
	t.Helper()
	raw, err := proto.Marshal(r.messages[n])
	require.NoError(t, err)
	require.NoError(t, proto.Unmarshal(raw, m))
}

// fakeServices are all services behind one connection. They keep their calls and answer what the test says.
type fakeServices struct {
	mu      sync.Mutex
	calls   []received
	answers []proto.Message
	err     error
	hold    bool // streams stay open.
}

func (f *fakeServices) serve(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	md, _ := metadata.FromIncomingContext(stream.Context())
	call := received{method: method, metadata: md}
	for {
		m := &emptypb.Empty{}
		err := stream.RecvMsg(m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		call.messages = append(call.messages, m)
	}
	f.mu.Lock()
	f.calls = append(f.calls, call)
	answers, err, hold := f.answers, f.err, f.hold
	f.mu.Unlock()
	for _, m := range answers {
		if err := stream.SendMsg(m); err != nil {
			return err
		}
	}
	if hold {
		<-stream.Context().Done()
	}
	return err
}

// say sets the answer to all calls from now on: the messages, then the error.
func (f *fakeServices) say(err error, answers ...proto.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers, f.err = answers, err
}

func (f *fakeServices) all() []received {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *fakeServices) last(t *testing.T) received {
	t.Helper()
	calls := f.all()
	require.NotEmpty(t, calls)
	return calls[len(calls)-1]
}

// stack is the admin address in front of real gRPC, behind a real HTTP server.
type stack struct {
	*httptest.Server
	handler  *Handler
	services *fakeServices
	stop     chan struct{}
}

func newStack(t testing.TB) *stack {
	t.Helper()
	s := &stack{services: &fakeServices{answers: []proto.Message{&emptypb.Empty{}}}, stop: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := rpc.NewServer(zap.NewNop(), rpc.WithServerOptions(grpc.UnknownServiceHandler(s.services.serve)))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	s.handler, err = NewHandler(context.Background(), conn, s.stop)
	require.NoError(t, err)
	s.Server = httptest.NewServer(s.handler)
	t.Cleanup(s.Close)
	return s
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem is the body of an error.
type problem struct {
	Code    int
	Message string
	Details []struct {
		Type      string `json:"@type"`
		Reason    string
		RequestID string `json:"requestId"`
	}
}

func (a answer) fault(t *testing.T) problem {
	t.Helper()
	var f problem
	require.NoError(t, json.Unmarshal([]byte(a.body), &f), a.body)
	return f
}

// reason is the stable word of an error, or "".
func (a answer) reason(t *testing.T) string {
	t.Helper()
	for _, d := range a.fault(t).Details {
		if d.Reason != "" {
			return d.Reason
		}
	}
	return ""
}

func (s *stack) do(t *testing.T, method, path string, body io.Reader, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	require.NoError(t, err)
	request.Header = http.Header{"Authorization": {"Bearer key-of-the-tests"}}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(raw)}
}

func (s *stack) get(t *testing.T, path string) answer {
	t.Helper()
	return s.do(t, http.MethodGet, path, nil, nil)
}

func (s *stack) post(t *testing.T, path, body string) answer {
	t.Helper()
	return s.do(t, http.MethodPost, path, strings.NewReader(body), nil)
}
