package local

import (
	"fmt"
	"net"
	"strings"
)

// service is one of the four, with the environment names under which its addresses are known.
type serviceSpec struct {
	name    string
	address string // environment name of its gRPC address, as its peers know it
	gRPC    string // default of that
	debug   string
	schema  bool // has a schema to migrate
}

// specs lists the services in starting order: callees first.
func specs() []serviceSpec {
	return []serviceSpec{
		{name: "channels", address: "KNOBOT_CHANNELS_ADDR", gRPC: "127.0.0.1:9103", debug: "127.0.0.1:9203", schema: true},
		{name: "rag", address: "KNOBOT_RAG_ADDR", gRPC: "127.0.0.1:9102", debug: "127.0.0.1:9202", schema: true},
		{name: "conversation", address: "KNOBOT_CONVERSATION_ADDR", gRPC: "127.0.0.1:9101", debug: "127.0.0.1:9201", schema: true},
		{name: "gateway", address: "KNOBOT_GRPC_ADDR", gRPC: "127.0.0.1:9100", debug: "127.0.0.1:9200", schema: true},
	}
}

// plan chooses every address that is not set, so that each program's environment says the whole truth.
func plan(env environment) {
	env.choose("KNOBOT_HTTP_ADDR", "127.0.0.1:9000")
	env.choose("KNOBOT_ADMIN_ADDR", "127.0.0.1:9080")
	for _, s := range specs() {
		env.choose(s.address, s.gRPC)
	}
}

// forService returns the environment of one service.
func forService(env environment, s serviceSpec, db *database) environment {
	pairs := map[string]string{"KNOBOT_GRPC_ADDR": env[s.address], "KNOBOT_DEBUG_ADDR": s.debug}
	if env["KNOBOT_DEBUG_ADDR"] == "off" {
		pairs["KNOBOT_DEBUG_ADDR"] = "127.0.0.1:0"
	}
	if db != nil && s.schema {
		pairs["KNOBOT_DATABASE_URL"] = db.servingURL(s.name)
		pairs["KNOBOT_MIGRATE_DATABASE_URL"] = db.ownerURL(s.name)
	}
	return env.with(pairs)
}

// checkFree refuses to start on addresses that are in use, before anything else is done.
func checkFree(env environment, simulator bool) error {
	wanted := map[string]string{"the webhooks": env["KNOBOT_HTTP_ADDR"], "the management API": env["KNOBOT_ADMIN_ADDR"]}
	for _, s := range specs() {
		wanted[s.name] = env[s.address]
	}
	if simulator {
		wanted["the simulator"] = env["KNOBOT_SIMULATOR_ADDR"]
	}
	var taken []string
	for what, address := range wanted {
		l, err := net.Listen("tcp", address) //nolint:noctx // a bind that returns at once
		if err != nil {
			taken = append(taken, fmt.Sprintf("%s for %s: %v", address, what, err))
			continue
		}
		_ = l.Close()
	}
	if len(taken) > 0 {
		return fmt.Errorf("cannot listen (is KnoBot running already?):\n  %s", strings.Join(taken, "\n  "))
	}
	return nil
}
