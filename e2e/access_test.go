package e2e

import (
	"bytes"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/system"
)

// callerOf is a connection that sends a key, none for an empty one.
func callerOf(t *testing.T, address, key string) *grpc.ClientConn {
	t.Helper()
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if key != "" {
		options = append(options, grpc.WithPerRPCCredentials(system.Bearer(key)))
	}
	conn, err := grpc.NewClient(address, options...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func reasonOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// listUsers reads over the management API.
func listUsers(t *testing.T, address, key string) error {
	t.Helper()
	_, err := conversationv1.NewUserServiceClient(callerOf(t, address, key)).ListUsers(t.Context(), &conversationv1.ListUsersRequest{})
	return err
}

// TestManagementNeedsAKey makes keys with the command line and calls all services through the gateway with them.
func TestManagementNeedsAKey(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	knobot := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), system.Bin("knobot"), args...)
		cmd.Env = []string{"KNOBOT_GATEWAY_ADDR=" + s.Gateway.Address, "KNOBOT_ADMIN_API_KEY=" + s.Credentials.AdminKey}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	require.Equal(t, "CREDENTIAL_MISSING", reasonOf(listUsers(t, s.Gateway.Address, "")))
	require.Equal(t, "CREDENTIAL_REFUSED", reasonOf(listUsers(t, s.Gateway.Address, "guess")))

	viewer := strings.TrimSpace(knobot("keys", "create", "panel"))
	operator := strings.TrimSpace(knobot("keys", "create", "importer", "--role", "operator"))
	stores.Watch.Forbid("a key of the management API", viewer)
	stores.Watch.Forbid("a key of the management API", operator)
	require.NoError(t, listUsers(t, s.Gateway.Address, viewer))
	document := &ragv1.CreateDocumentRequest{Name: "horario.md", Content: []byte(hours)}
	_, err := ragv1.NewDocumentServiceClient(callerOf(t, s.Gateway.Address, viewer)).CreateDocument(t.Context(), document)
	require.Equal(t, "ROLE_TOO_LOW", reasonOf(err))
	documents := ragv1.NewDocumentServiceClient(callerOf(t, s.Gateway.Address, operator))
	_, err = documents.CreateDocument(t.Context(), document)
	require.NoError(t, err)

	upload, err := documents.UploadDocument(t.Context())
	require.NoError(t, err)
	require.NoError(t, upload.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Metadata_{Metadata: &ragv1.UploadDocumentRequest_Metadata{Name: "horario.md"}}}))
	require.NoError(t, upload.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Content{Content: []byte(hours + "\n")}}))
	uploaded, err := upload.CloseAndRecv()
	require.NoError(t, err)
	watch, err := ragv1.NewIngestionServiceClient(callerOf(t, s.Gateway.Address, viewer)).WatchIngestion(t.Context(),
		&ragv1.WatchIngestionRequest{Id: uploaded.GetIngestion().GetId()})
	require.NoError(t, err)
	news, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, uploaded.GetIngestion().GetId(), news.GetIngestion().GetId())

	_, err = conversationv1.NewIngestServiceClient(callerOf(t, s.Gateway.Address, s.Credentials.AdminKey)).IngestWebhook(t.Context(),
		&conversationv1.IngestWebhookRequest{Platform: typev1.Platform_PLATFORM_TELEGRAM})
	require.Equal(t, "Unimplemented", status.Code(err).String(), "what is between services stays there")

	audit := knobot("audit")
	require.Regexp(t, `key:\S+ +importer +127.0.0.1 +knobot.rag.v1.DocumentService/UploadDocument +OK`, audit)
	require.Regexp(t, `key:\S+ +panel +127.0.0.1 +knobot.rag.v1.DocumentService/CreateDocument +PermissionDenied +ROLE_TOO_LOW`, audit)
	require.Regexp(t, `environment +KNOBOT_ADMIN_API_KEY +127.0.0.1 +knobot.gateway.v1.ApiKeyService/CreateApiKey +OK`, audit)
	keys := knobot("keys", "list")
	require.Regexp(t, `panel +viewer +- +valid +\d{4}-`, keys, "the last use is known")
	knobot("keys", "revoke", strings.Split(viewer, "_")[1])
	require.Equal(t, "KEY_REVOKED", reasonOf(listUsers(t, s.Gateway.Address, viewer)))
}

// TestWebhooksNeedNoDatabaseOfTheGateways runs a gateway whose database is away, and one that has none: webhooks are stored, and
// the management API says what it lacks.
func TestWebhooksNeedNoDatabaseOfTheGateways(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	made, err := gatewayv1.NewApiKeyServiceClient(s.Conn(s.Gateway)).CreateApiKey(t.Context(),
		&gatewayv1.CreateApiKeyRequest{Name: "panel", Role: gatewayv1.Role_ROLE_VIEWER})
	require.NoError(t, err)
	for name, c := range map[string]struct{ url, withKey, keys string }{
		"away": {"postgres://gateway@127.0.0.1:1/knobot", "DATABASE_UNAVAILABLE", "DATABASE_UNAVAILABLE"},
		"none": {"", "CREDENTIAL_REFUSED", "DATABASE_NOT_CONFIGURED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edge, address := secondGateway(t, s, c.url)
			header := http.Header{"X-Telegram-Bot-Api-Secret-Token": {s.Credentials.SecretToken}}
			body := system.TelegramText(time.Now().UnixNano()%1e9, 7501, 1, "hola", time.Now())
			require.Eventually(t, func() bool {
				code, _, err := system.Post(t.Context(), http.DefaultClient, edge+system.TelegramPath, body, header)
				return err == nil && code == http.StatusOK
			}, 30*time.Second, 20*time.Millisecond)
			require.NoError(t, listUsers(t, address, s.Credentials.AdminKey), "the key of the environment needs none")
			require.Equal(t, c.withKey, reasonOf(listUsers(t, address, made.GetSecret())))
			_, err := gatewayv1.NewApiKeyServiceClient(callerOf(t, address, s.Credentials.AdminKey)).ListApiKeys(t.Context(), &gatewayv1.ListApiKeysRequest{})
			require.Equal(t, c.keys, reasonOf(err))
		})
	}
}

// secondGateway runs a gateway with another database beside a system, and returns its two addresses.
func secondGateway(t *testing.T, s *system.System, databaseURL string) (edge, address string) {
	t.Helper()
	edge, err := system.FreeAddress()
	require.NoError(t, err)
	address, err = system.FreeAddress()
	require.NoError(t, err)
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), system.Bin("gateway"))
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = []string{
		"KNOBOT_HTTP_ADDR=" + edge, "KNOBOT_ADMIN_ADDR=127.0.0.1:0", "KNOBOT_GRPC_ADDR=" + address, "KNOBOT_DEBUG_ADDR=off", "KNOBOT_DATABASE_URL=" + databaseURL,
		"KNOBOT_CONVERSATION_ADDR=" + s.Conversation.Address, "KNOBOT_RAG_ADDR=" + s.RAG.Address, "KNOBOT_CHANNELS_ADDR=" + s.Channels.Address,
		"KNOBOT_ADMIN_API_KEY=" + s.Credentials.AdminKey,
	}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + edge, address
}
