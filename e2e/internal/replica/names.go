package replica

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// ttl is how long an answer holds, in seconds. gRPC asks again by itself when a connection ends.
const ttl = 1

// Names is a name server that knows services by their name.
type Names struct {
	// Address is where it listens.
	Address string
	sets    map[string]*Set
}

// StartNames starts one that ends with the test. Members are hosts; the port is part of the name's user.
func StartNames(t *testing.T, sets map[string]*Set) *Names {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	n := &Names{Address: conn.LocalAddr().String(), sets: sets}
	go n.serve(conn)
	return n
}

// Target is what gRPC dials to reach all replicas of a service.
func (n *Names) Target(service, port string) string {
	return "dns://" + n.Address + "/" + service + ".test:" + port
}

func (n *Names) serve(conn net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		size, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer, err := n.answer(buf[:size]); err == nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

func (n *Names) answer(query []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil {
		return nil, err
	}
	message.Response, message.Authoritative, message.RCode = true, true, dnsmessage.RCodeNameError
	message.Additionals = nil
	for _, q := range message.Questions {
		service, _, _ := strings.Cut(strings.TrimSuffix(q.Name.String(), "."), ".")
		set := n.sets[service]
		if set == nil {
			continue
		}
		message.RCode = dnsmessage.RCodeSuccess
		if q.Type != dnsmessage.TypeA {
			continue
		}
		for _, host := range set.Ready() {
			message.Answers = append(message.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: ttl},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(host).To4())},
			})
		}
	}
	return message.Pack()
}
