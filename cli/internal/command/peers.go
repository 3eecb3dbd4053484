package command

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
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

func dial(address string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(16<<20), grpc.MaxCallRecvMsgSize(16<<20)))
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
