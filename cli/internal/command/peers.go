package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/cli/internal/local"
)

// callTimeout bounds one call; ingesting a large document takes longest.
const callTimeout = 2 * time.Minute

// Addresses of the services; the environment names are those of the services themselves.
type conversationPeer struct {
	Conversation string `env:"KNOBOT_CONVERSATION_ADDR" default:"127.0.0.1:9101" help:"Address of the conversation service."`
}

type ragPeer struct {
	RAG string `name:"rag" env:"KNOBOT_RAG_ADDR" default:"127.0.0.1:9102" help:"Address of the rag service."`
}

type channelsPeer struct {
	Channels string `env:"KNOBOT_CHANNELS_ADDR" default:"127.0.0.1:9103" help:"Address of the channels service."`
}

// gatewayPeer is the management API, with the key for it.
type gatewayPeer struct {
	Gateway string `env:"KNOBOT_GATEWAY_ADDR" default:"127.0.0.1:9100" help:"Address of the gateway."`
	KeyFile string `env:"KNOBOT_ADMIN_API_KEY_FILE" help:"File that holds a key of the management API; else KNOBOT_ADMIN_API_KEY is one, or the one that make up made."`
}

func (p gatewayPeer) dial() (*grpc.ClientConn, error) {
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	return dial(p.Gateway, grpc.WithPerRPCCredentials(bearer(key)))
}

// key is no flag: every user of the machine could read it in the list of processes.
func (p gatewayPeer) key() (string, error) {
	if p.KeyFile != "" {
		key, err := os.ReadFile(p.KeyFile)
		return strings.TrimSpace(string(key)), err
	}
	if key := os.Getenv("KNOBOT_ADMIN_API_KEY"); key != "" {
		return key, nil
	}
	return local.AdminKey(os.Getenv("KNOBOT_DATA_DIR"))
}

// bearer sends a key with each call.
type bearer string

// GetRequestMetadata returns what is sent with a call.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity says no: the gateway is on loopback, or behind a tunnel that encrypts.
func (bearer) RequireTransportSecurity() bool { return false }

func dial(address string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(address, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(16<<20), grpc.MaxCallRecvMsgSize(16<<20)))...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	return conn, nil
}

// readable says what a person can do something with: the service's sentence without gRPC's wrapping.
func readable(err error) string {
	var peer interface{ GRPCStatus() *status.Status }
	if errors.As(err, &peer) {
		s := peer.GRPCStatus()
		return fmt.Sprintf("%s (%s)", s.Message(), s.Code())
	}
	return err.Error()
}
