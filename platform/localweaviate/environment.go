package localweaviate

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// ports of one server, inside its network.
type ports struct{ http, grpc, gossip, data, raft, raftRPC int }

// insidePorts need not be free anywhere else.
func insidePorts() ports {
	return ports{http: 8080, grpc: 50051, gossip: 7946, data: 7947, raft: 8300, raftRPC: 8301}
}

// attempts to find neighbouring ports that are free.
const attempts = 50

// Ports are sought below those that the kernel gives to outgoing connections
// and to listeners on port 0 (from 32768 on by default): between the search
// and the server's start such a port is easily taken by another process
// (measured: a run of the whole suite lost one that way).
const lowestPort, highestPort = 10240, 32000

// freePorts picks ports that are free now. Should another process take one
// before the server does, then it fails to start and says so.
func freePorts(ctx context.Context, o Options) (ports, error) {
	p := ports{http: o.HTTPPort, grpc: o.GRPCPort}
	var err error
	for _, port := range []*int{&p.http, &p.grpc} {
		if *port == 0 && err == nil {
			*port, err = neighbours(ctx, 1, p.http)
		}
	}
	if err != nil {
		return ports{}, err
	}
	// A node reckons its peers' data and raft ports from the gossip port, so
	// the four must be neighbours (measured: it finds no peers otherwise).
	p.gossip, err = neighbours(ctx, 4, p.http, p.grpc)
	p.data, p.raft, p.raftRPC = p.gossip+1, p.gossip+2, p.gossip+3
	return p, err
}

// neighbours returns the first of n free ports in a row, none of them in use
// nor among those that are promised already.
func neighbours(ctx context.Context, n int, promised ...int) (int, error) {
	var err error
	for range attempts {
		first := lowestPort + mathrand.IntN(highestPort-lowestPort)
		if err = allFree(ctx, first, n, promised); err == nil {
			return first, nil
		}
	}
	return 0, fmt.Errorf("no %d neighbouring ports are free: %w", n, err)
}

func allFree(ctx context.Context, first, n int, promised []int) error {
	var lc net.ListenConfig
	for port := first; port < first+n; port++ {
		if slices.Contains(promised, port) {
			return fmt.Errorf("port %d is taken", port)
		}
		l, err := lc.Listen(ctx, "tcp", ":"+strconv.Itoa(port)) // all interfaces, as the server will
		if err != nil {
			return err
		}
		_ = l.Close()
	}
	return nil
}

// environment configures one node on loopback. RAFT_TIMEOUTS_MULTIPLIER=1
// halves the start (5.8 s to 2.3 s) and USE_BLOCKMAX_WAND=false ranks fresh
// documents rightly at once; both measured with server 1.35.2.
func environment(o Options, p ports) []string {
	raft := strconv.Itoa(p.raft)
	settings := map[string]string{
		"PERSISTENCE_DATA_PATH":     o.Dir,
		"DEFAULT_VECTORIZER_MODULE": "none",
		"AUTOSCHEMA_ENABLED":        "false",
		"DISABLE_TELEMETRY":         "true",
		"GO_PROFILING_DISABLE":      "true",
		"LOG_LEVEL":                 "warning",
		"USE_BLOCKMAX_WAND":         "false",

		"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
		"AUTHENTICATION_APIKEY_ENABLED":           "true",
		"AUTHENTICATION_APIKEY_ALLOWED_KEYS":      o.APIKey.Reveal(),
		"AUTHENTICATION_APIKEY_USERS":             "knobot",
		"CLUSTER_BASIC_AUTH_USERNAME":             "knobot",
		"CLUSTER_BASIC_AUTH_PASSWORD":             rand.Text(),

		"GRPC_PORT":                strconv.Itoa(p.grpc),
		"CLUSTER_HOSTNAME":         "node1",
		"CLUSTER_IN_LOCALHOST":     "true",
		"CLUSTER_ADVERTISE_ADDR":   "127.0.0.1",
		"CLUSTER_BIND_ADDR":        "127.0.0.1",
		"CLUSTER_GOSSIP_BIND_PORT": strconv.Itoa(p.gossip),
		"CLUSTER_DATA_BIND_PORT":   strconv.Itoa(p.data),
		"RAFT_PORT":                raft,
		"RAFT_INTERNAL_RPC_PORT":   strconv.Itoa(p.raftRPC),
		"RAFT_JOIN":                "node1:" + raft,
		"RAFT_BOOTSTRAP_EXPECT":    "1",
		"RAFT_TIMEOUTS_MULTIPLIER": "1",
	}
	// Nothing of ours leaks in: not a secret, and not a setting of Weaviate
	// that was meant for another server.
	out := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.Dir}
	for _, name := range []string{"TMPDIR", "GOMAXPROCS", "GOMEMLIMIT", "TZ"} {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			out = append(out, name+"="+v)
		}
	}
	for name, value := range settings {
		out = append(out, name+"="+value)
	}
	return out
}
