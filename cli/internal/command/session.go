package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/knobot/knobot/cli/internal/present"
)

// session is what a command reads from, writes to and asks.
type session struct {
	in       io.Reader
	out, err io.Writer
	format   present.Format
	server   server
}

// show writes an answer in the format that was asked for.
func (s session) show(answer proto.Message, table func() present.Table) error {
	colour := isTerminal(s.out) && os.Getenv("NO_COLOR") == ""
	return present.Write(s.out, s.format, answer, table, colour)
}

// done says in a sentence what was done, and shows programs the answer instead.
func (s session) done(answer proto.Message, sentence string, args ...any) error {
	if s.format != present.AsTable {
		return s.show(answer, nil)
	}
	_, err := fmt.Fprintf(s.out, sentence+"\n", args...)
	return err
}

// connect returns a connection to the server, to be closed.
func (s session) connect() (*grpc.ClientConn, error) {
	target, err := s.server.target()
	if err != nil {
		return nil, err
	}
	return dial(target)
}

// call gives f a client of one service, for a bounded time.
func call[C any](ctx context.Context, s session, client func(grpc.ClientConnInterface) C, f func(context.Context, C) error) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx, client(conn))
}

// Exit codes; docs/cli.md says what each means.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitRefused     = 3
	exitNotFound    = 4
	exitUnavailable = 5
)

// exitCode is what a failed command ends with.
func exitCode(err error) int {
	peer, ok := peerStatus(err)
	if !ok {
		return exitError
	}
	switch peer.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		return exitRefused
	case codes.NotFound:
		return exitNotFound
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
		return exitUnavailable
	default:
		return exitError
	}
}

// readable says what a person can do something with: the service's sentence without gRPC's wrapping.
func readable(err error) string {
	peer, ok := peerStatus(err)
	if !ok {
		return err.Error()
	}
	text := fmt.Sprintf("%s (%s)", peer.Message(), peer.Code())
	if peer.Code() == codes.Unauthenticated {
		text += "; `knobot profile set` keeps a key, KNOBOT_ADMIN_API_KEY gives one for a moment"
	}
	return text
}

func peerStatus(err error) (*status.Status, bool) {
	var peer interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &peer) {
		return nil, false
	}
	return peer.GRPCStatus(), true
}
