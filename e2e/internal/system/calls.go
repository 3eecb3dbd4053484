package system

import (
	"context"
	"net"
	"time"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// Store puts a Markdown document into the default knowledge base.
func (s *System) Store(ctx context.Context, name, content string) error {
	_, err := ragv1.NewDocumentServiceClient(s.Conn(s.RAG)).CreateDocument(ctx,
		&ragv1.CreateDocumentRequest{Name: name, Content: []byte(content)})
	return err
}

// FreeAddress returns a loopback address that nobody listens on.
func FreeAddress() (string, error) {
	addresses, err := freeAddresses(1)
	if err != nil {
		return "", err
	}
	return addresses[0], nil
}

// AwaitListening waits until an address accepts connections.
func AwaitListening(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// Bearer sends a key of the management API with each call.
type Bearer string

// GetRequestMetadata returns what is sent with a call.
func (b Bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity says no: everything is on loopback.
func (Bearer) RequireTransportSecurity() bool { return false }
