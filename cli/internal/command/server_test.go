package command

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// counter answers CountWebhookLogs to those who show the key.
type counter struct {
	conversationv1.UnimplementedWebhookLogServiceServer
	key  string
	code codes.Code
}

func (c *counter) CountWebhookLogs(ctx context.Context, _ *conversationv1.CountWebhookLogsRequest) (*conversationv1.CountWebhookLogsResponse, error) {
	shown := metadata.ValueFromIncomingContext(ctx, "authorization")
	if c.key != "" && (len(shown) != 1 || shown[0] != "Bearer "+c.key) {
		return nil, status.Error(codes.Unauthenticated, "a management key is needed")
	}
	if c.code != codes.OK {
		return nil, status.Error(c.code, "no")
	}
	return &conversationv1.CountWebhookLogsResponse{Counts: []*conversationv1.CountWebhookLogsResponse_PlatformCount{
		{Platform: typev1.Platform_PLATFORM_TELEGRAM, Total: 7},
	}}, nil
}

func count(t *testing.T, c *counter, args ...string) (code int, out, errs string) {
	t.Helper()
	server := grpc.NewServer()
	conversationv1.RegisterWebhookLogServiceServer(server, c)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	var o, e bytes.Buffer
	code = Run(t.Context(), append([]string{"stats", "--server", listener.Addr().String()}, args...), strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestAnswersAreShownAsAskedFor(t *testing.T) {
	t.Parallel()
	code, out, _ := count(t, &counter{})
	require.Equal(t, exitOK, code)
	require.Equal(t, "PLATFORM  TOTAL  REJECTED\ntelegram  7      0\n", out)

	_, out, _ = count(t, &counter{}, "--output", "json")
	var all struct{ Counts []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	require.Equal(t, []map[string]any{{"platform": "PLATFORM_TELEGRAM", "total": "7", "rejected": "0"}}, all.Counts)

	_, out, _ = count(t, &counter{}, "--output", "yaml")
	require.Contains(t, out, "platform: PLATFORM_TELEGRAM\n")

	code, _, _ = count(t, &counter{}, "--output", "xml")
	require.Equal(t, exitUsage, code)
}

func TestKeyIsShownToTheServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("knobot_1_secret\n"), 0o600))
	code, _, errs := count(t, &counter{key: "knobot_1_secret"}, "--api-key-file", file)
	require.Equal(t, exitOK, code, errs)
	code, _, errs = count(t, &counter{key: "knobot_1_secret"})
	require.Equal(t, exitRefused, code)
	require.Contains(t, errs, "a management key is needed (Unauthenticated); `knobot profile set` keeps a key")
}

func TestKeyDoesNotLeaveTheMachineInPlainText(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("knobot_1_secret"), 0o600))
	var out, errs bytes.Buffer
	code := Run(t.Context(), []string{"stats", "--server", "knobot.example:9100", "--api-key-file", file}, nil, &out, &errs)
	require.Equal(t, exitError, code)
	require.Contains(t, errs.String(), "plain text")
	require.NotContains(t, errs.String(), "secret")
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for reply, want := range map[codes.Code]int{
		codes.PermissionDenied: exitRefused, codes.NotFound: exitNotFound, codes.Unavailable: exitUnavailable,
		codes.FailedPrecondition: exitError, codes.Internal: exitError, codes.ResourceExhausted: exitUnavailable,
	} {
		code, out, errs := count(t, &counter{code: reply})
		require.Equal(t, want, code, reply)
		require.Empty(t, out)
		require.Contains(t, errs, reply.String())
	}
	code, _, _ := count(t, &counter{}, "--nothing")
	require.Equal(t, exitUsage, code)
}

func TestCompletionIsPrinted(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	require.Equal(t, exitOK, Run(t.Context(), []string{"completion", "-c", "bash"}, nil, &out, &errs), errs.String())
	require.Contains(t, out.String(), "knobot")
}
