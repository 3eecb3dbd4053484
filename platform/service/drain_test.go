package service

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
)

// probe is a service whose two methods tests write.
type probe struct {
	unary  func(ctx context.Context) error
	stream func(ss grpc.ServerStream) error
}

// register puts the probe on a server under a name of its own.
func (p *probe) register(s *grpc.Server) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Probe",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(_ any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
			req := &healthv1.HealthCheckRequest{}
			if err := dec(req); err != nil {
				return nil, err
			}
			return chain(ctx, req, &grpc.UnaryServerInfo{FullMethod: "/test.Probe/Unary"}, func(ctx context.Context, _ any) (any, error) {
				return &healthv1.HealthCheckResponse{}, p.unary(ctx)
			})
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, Handler: func(_ any, ss grpc.ServerStream) error {
			return p.stream(ss)
		}}},
	}, p)
}

func callUnary(ctx context.Context, conn *grpc.ClientConn) error {
	return conn.Invoke(ctx, "/test.Probe/Unary", &healthv1.HealthCheckRequest{}, &healthv1.HealthCheckResponse{})
}

func TestReadyAndAlive(t *testing.T) {
	t.Parallel()
	r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
		(&probe{unary: func(context.Context) error { return nil }}).register(s.GRPC())
		return s.Serve(ctx)
	}).start()
	conn := r.conn()
	for _, name := range []string{"", Liveness, "test.Probe"} {
		require.Equal(t, "SERVING", healthOf(t.Context(), conn, name), name)
	}
	require.Empty(t, healthOf(t.Context(), conn, "unknown"))
	require.NoError(t, callUnary(t.Context(), conn))

	resp, err := http.Get("http://" + r.addr("debug") + "/metrics")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, string(body), `knobot_rpc_server_seconds_count{code="OK",method="/test.Probe/Unary"} 1`)

	r.signals <- syscall.SIGTERM
	require.Equal(t, 0, r.wait())
}

func TestDraining(t *testing.T) {
	t.Parallel()

	t.Run("NotServingComesFirstAndServiceGoesOn", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			(&probe{unary: func(context.Context) error { return nil }}).register(s.GRPC())
			return s.Serve(ctx)
		}, "KNOBOT_DRAIN=1m").start() // longer than the test
		conn := r.conn()
		require.Equal(t, "SERVING", healthOf(t.Context(), conn, ""))
		r.signals <- syscall.SIGTERM
		require.Eventually(t, func() bool { return healthOf(t.Context(), conn, "") == "NOT_SERVING" }, eventually, tick)
		require.Equal(t, "NOT_SERVING", healthOf(t.Context(), conn, "test.Probe"))
		require.Equal(t, "SERVING", healthOf(t.Context(), conn, Liveness))
		require.NoError(t, callUnary(t.Context(), conn), "still served")
	})

	t.Run("AnIdleConnectionServesOnceMoreAndIsThenClosed", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			s.HTTP("public", "127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			return s.Serve(ctx)
		}, "KNOBOT_DRAIN=1m").start() // longer than the test
		conn, err := net.Dial("tcp", r.addr("public"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		answers := bufio.NewReader(conn)
		ask := func() *http.Response {
			_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
			require.NoError(t, err)
			answer, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			return answer
		}
		require.False(t, ask().Close)
		r.signals <- syscall.SIGTERM
		require.Eventually(t, func() bool { return len(r.stderr.lines("draining")) == 1 }, eventually, tick)
		require.True(t, ask().Close, "served, and told to go elsewhere")
	})

	t.Run("CallsInFlightAreFinished", func(t *testing.T) {
		t.Parallel()
		entered, release := make(chan struct{}), make(chan struct{})
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			(&probe{unary: func(context.Context) error {
				close(entered)
				<-s.Draining()
				<-release
				return nil
			}}).register(s.GRPC())
			return s.Serve(ctx)
		}).start()
		result := make(chan error, 1)
		conn := r.conn()
		go func() { result <- callUnary(context.Background(), conn) }()
		<-entered
		r.signals <- syscall.SIGTERM
		require.Eventually(t, func() bool { return len(r.stderr.lines("draining")) == 1 }, eventually, tick)
		close(release)
		require.NoError(t, <-result)
		require.Equal(t, 0, r.wait())
	})

	t.Run("AnOpenStreamDoesNotBlockTheStop", func(t *testing.T) {
		t.Parallel()
		entered := make(chan struct{})
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			(&probe{stream: func(ss grpc.ServerStream) error {
				close(entered)
				select {
				case <-s.Draining():
					return fault.New(fault.Unavailable, "DRAINING", "the service is stopping")
				case <-ss.Context().Done():
					return ss.Context().Err()
				}
			}}).register(s.GRPC())
			return s.Serve(ctx)
		}).start()
		ss, err := r.conn().NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/test.Probe/Stream")
		require.NoError(t, err)
		require.NoError(t, ss.CloseSend())
		<-entered
		begin := time.Now()
		r.signals <- syscall.SIGTERM
		require.Equal(t, codes.Unavailable, status.Code(ss.RecvMsg(&healthv1.HealthCheckResponse{})))
		require.Equal(t, 0, r.wait())
		require.Less(t, time.Since(begin), grpcGrace)
	})

	t.Run("HTTPRequestsInFlightAreFinished", func(t *testing.T) {
		t.Parallel()
		entered, self := make(chan struct{}), make(chan *grpc.ClientConn, 1)
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			// The handler calls its own process over gRPC, as the gateway does.
			(&probe{unary: func(context.Context) error { return nil }}).register(s.GRPC())
			s.HTTP("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				close(entered)
				<-s.Draining()
				if err := callUnary(req.Context(), <-self); err != nil {
					http.Error(w, err.Error(), http.StatusServiceUnavailable)
				}
			}))
			return s.Serve(ctx)
		}).start()
		self <- r.conn()
		code := make(chan int, 1)
		go func() {
			resp, err := http.Get("http://" + r.addr("public"))
			if err != nil {
				code <- 0
				return
			}
			_ = resp.Body.Close()
			code <- resp.StatusCode
		}()
		<-entered
		r.signals <- syscall.SIGTERM
		require.Equal(t, http.StatusOK, <-code)
		require.Equal(t, 0, r.wait())
	})

	t.Run("WorkEndsBeforeClosersInReverseOrder", func(t *testing.T) {
		t.Parallel()
		var mu sync.Mutex
		var order []string
		note := func(s string) { mu.Lock(); defer mu.Unlock(); order = append(order, s) }
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			s.OnStop(func() { note("first opened") })
			s.OnStop(func() { note("last opened") })
			s.Go("worker", func(ctx context.Context) error {
				<-ctx.Done()
				note("work")
				return ctx.Err()
			})
			return s.Serve(ctx)
		}).start()
		r.signals <- syscall.SIGTERM
		require.Equal(t, 0, r.wait(), "the end of the context is no failure")
		require.Equal(t, []string{"work", "last opened", "first opened"}, order)
	})

	t.Run("ASecondSignalStopsAtOnce", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			s.Go("stubborn", func(context.Context) error { select {} })
			return s.Serve(ctx)
		}, "KNOBOT_DRAIN=1m").start()
		begin := time.Now()
		r.signals <- syscall.SIGTERM
		r.signals <- syscall.SIGTERM
		require.Equal(t, 1, r.wait())
		require.Less(t, time.Since(begin), 10*time.Second)
	})
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 2
	r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
		s.HTTP("public", "127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.https[0].most = most
		return s.Serve(ctx)
	}).start()
	ask := func() (net.Conn, chan error) {
		conn, err := net.Dial("tcp", r.addr("public"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		answered := make(chan error, 1)
		go func() {
			_, err := http.ReadResponse(bufio.NewReader(conn), nil)
			answered <- err
		}()
		return conn, answered
	}
	var first net.Conn
	for range most {
		conn, answered := ask()
		require.NoError(t, <-answered)
		first = conn
	}
	_, waiting := ask()
	require.Never(t, func() bool { return len(waiting) > 0 }, 100*time.Millisecond, tick, "one too many waits")
	require.NoError(t, first.Close())
	require.NoError(t, <-waiting, "and is served when another one ends")
}

func TestFailures(t *testing.T) {
	t.Parallel()

	t.Run("BackgroundErrorStopsTheService", func(t *testing.T) {
		t.Parallel()
		fail := make(chan struct{})
		closed := false
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			s.OnStop(func() { closed = true })
			s.Go("watcher", func(context.Context) error { <-fail; return errors.New("lost") })
			return s.Serve(ctx)
		}).start()
		close(fail)
		require.Equal(t, 1, r.wait())
		require.Equal(t, "watcher: lost", r.stderr.lines("failed")[0]["error"])
		require.True(t, closed)
	})

	t.Run("BackgroundPanicStopsTheServiceInOrder", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			s.Go("bad", func(context.Context) error { panic("oops") })
			return s.Serve(ctx)
		})
		require.Equal(t, 1, r.main())
		require.Contains(t, r.stderr.lines("panic")[0]["stack"], "drain_test.go")
		require.NotEmpty(t, r.stderr.lines("stopped"))
	})

	t.Run("TakenAddressIsReported", func(t *testing.T) {
		t.Parallel()
		first := newProgram(t, serve).start()
		second := newProgram(t, serve, "KNOBOT_GRPC_ADDR="+first.addr("grpc"))
		require.Equal(t, 1, second.main())
		require.Contains(t, second.stderr.lines("failed")[0]["error"], "address already in use")
	})

	t.Run("ErrorBeforeServingStillCloses", func(t *testing.T) {
		t.Parallel()
		closed := false
		r := newProgram(t, func(_ context.Context, _ testConfig, s *Service) error {
			s.OnStop(func() { closed = true })
			return errors.New("cannot start")
		})
		require.Equal(t, 1, r.main())
		require.True(t, closed)
	})

	t.Run("MalformedPeerAddressStopsTheService", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
			require.NotNil(t, s.Dial("unix://bad\x00address"))
			return s.Serve(ctx)
		})
		require.Equal(t, 1, r.main())
	})
}

func TestDebugListenerCanBeOff(t *testing.T) {
	t.Parallel()
	r := newProgram(t, serve, "KNOBOT_DEBUG_ADDR=off").start()
	require.False(t, slices.ContainsFunc(r.stderr.lines("listening"), func(l map[string]any) bool { return l["listener"] == "debug" }))
	r.signals <- syscall.SIGTERM
	require.Equal(t, 0, r.wait())
}
