// Package system runs a whole KnoBot from its built binaries: four services and the simulator against a real PostgreSQL and
// a real Weaviate, each stack with a database of its own.
package system

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	simulator "github.com/knobot/knobot/simulator/client"
)

// Options change a system from its defaults.
type Options struct {
	Database string            // name of its database; empty: a random one
	Env      map[string]string // set for all programs; an empty value removes a name
	// Through returns what a program is given instead of an address, so that something can stand between: that of a peer by its
	// name, WeaviateHTTP, WeaviateGRPC, Providers (URL), Webhooks (URL) or Database (URL). Nil changes nothing.
	Through func(to, address string) string
	// After is the system before it on the same database, whose credentials and keys are stored there. Nil for the first one.
	After *System
}

// What Options.Through is asked for beside the names of peers.
const (
	WeaviateHTTP = "weaviate-http"
	WeaviateGRPC = "weaviate-grpc"
	Providers    = "providers"
	Webhooks     = "webhooks"
	Database     = "database"
)

// Credentials are those of the seeded number and bot.
type Credentials struct {
	PhoneNumberID, AccessToken, VerifyToken, AppSecret string
	BotToken, SecretToken                              string
	AdminKey                                           string // of the management API
}

// System is a running KnoBot.
type System struct {
	Database                                          string
	HTTP                                              string // base URL of the webhook edge
	AdminURL                                          string // base URL of the management API
	SimulatorURL                                      string
	Credentials                                       Credentials
	Gateway, Conversation, RAG, Channels, SimulatorOf *Program
	Simulator                                         *simulator.Client

	stores  *Stores
	env     map[string]string
	through func(to, address string) string
	mu      sync.Mutex
	conns   map[string]*grpc.ClientConn
	twins   []*Program
}

// Root is the repository's root: the folder above this module that holds go.work.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.work")); err == nil {
			return d
		}
	}
	return dir
}

// Bin is the path of a built program.
func Bin(name string) string { return filepath.Join(Root(), "bin", name) }

// Built returns an error that names the cure when a program was not built.
func Built() error {
	for _, name := range []string{"gateway", "conversation", "rag", "channels", "simulator", "knobot", "weaviate-server"} {
		if _, err := os.Stat(Bin(name)); err != nil {
			return fmt.Errorf("bin/%s is missing: run make build bin/weaviate-server first", name)
		}
	}
	return nil
}

// Start starts a whole system and waits until every service serves.
func Start(ctx context.Context, stores *Stores, o Options) (*System, error) {
	if err := Built(); err != nil {
		return nil, err
	}
	s := &System{stores: stores, Database: o.Database, conns: map[string]*grpc.ClientConn{}, through: o.Through}
	if s.through == nil {
		s.through = func(_, address string) string { return address }
	}
	if s.Database == "" {
		s.Database = "knobot_" + random(6)
	}
	if err := s.plan(o); err != nil {
		return nil, err
	}
	err := errors.Join(s.prepareDatabase(ctx), s.migrate(ctx))
	if err == nil {
		err = s.startAll(ctx)
	}
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *System) plan(o Options) error {
	addresses, err := freeAddresses(7)
	if err != nil {
		return err
	}
	keyset, err := newKeyset()
	if err != nil {
		return err
	}
	gateway, conversation, rag, channels, sim, edge := addresses[0], addresses[1], addresses[2], addresses[3], addresses[4], addresses[5]
	admin := addresses[6]
	s.HTTP, s.AdminURL, s.SimulatorURL = "http://"+edge, "http://"+admin, "http://"+sim
	s.Credentials = Credentials{
		PhoneNumberID: "106540352242922", AccessToken: "token-" + random(16), VerifyToken: "verify-" + random(16),
		AppSecret: random(16), BotToken: "123456789:" + random(18), SecretToken: random(16), AdminKey: random(16),
	}
	if o.After != nil {
		s.Credentials, keyset = o.After.Credentials, o.After.env["KNOBOT_ENCRYPTION_KEYSET"]
	}
	c := s.Credentials
	s.env = map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": os.TempDir(), "KNOBOT_DRAIN": "100ms",
		"KNOBOT_HTTP_ADDR": edge, "KNOBOT_ADMIN_ADDR": admin, "KNOBOT_ADMIN_API_KEY": c.AdminKey, "KNOBOT_CONVERSATION_ADDR": s.through("conversation", conversation),
		"KNOBOT_RAG_ADDR": s.through("rag", rag), "KNOBOT_CHANNELS_ADDR": s.through("channels", channels),
		"KNOBOT_SIMULATOR_ADDR": sim, "KNOBOT_SIMULATOR_WEBHOOK_URL": s.through(Webhooks, s.HTTP), "KNOBOT_DEBUG_ADDR": "127.0.0.1:0",
		"KNOBOT_WEAVIATE_URL":       s.through(WeaviateHTTP, s.stores.Weaviate.HTTPURL),
		"KNOBOT_WEAVIATE_GRPC_ADDR": s.through(WeaviateGRPC, s.stores.Weaviate.GRPCAddr),
		"KNOBOT_WEAVIATE_API_KEY":   s.stores.Weaviate.APIKey.Reveal(), "KNOBOT_DEBOUNCE": "50ms", "KNOBOT_ENCRYPTION_KEYSET": keyset,
		"KNOBOT_MEDIA_URL": "file://" + filepath.ToSlash(filepath.Join(s.stores.media, s.Database)),
		"WHATSAPP_API_URL": s.through(Providers, s.SimulatorURL), "TELEGRAM_API_URL": s.through(Providers, s.SimulatorURL),
		"WHATSAPP_PHONE_NUMBER_ID": c.PhoneNumberID, "WHATSAPP_ACCESS_TOKEN": c.AccessToken, "WHATSAPP_VERIFY_TOKEN": c.VerifyToken,
		"WHATSAPP_APP_SECRET": c.AppSecret, "TELEGRAM_BOT_TOKEN": c.BotToken, "TELEGRAM_SECRET_TOKEN": c.SecretToken,
	}
	for name, value := range o.Env {
		delete(s.env, name)
		if value != "" {
			s.env[name] = value
		}
	}
	s.Simulator = simulator.New(s.SimulatorURL, nil)
	for _, p := range []struct {
		of      **Program
		name    string
		address string
		gRPC    bool
	}{
		{&s.Gateway, "gateway", gateway, true},
		{&s.Conversation, "conversation", conversation, true},
		{&s.RAG, "rag", rag, true},
		{&s.Channels, "channels", channels, true},
		{&s.SimulatorOf, "simulator", sim, false},
	} {
		if *p.of, err = s.program(p.name, p.address, p.gRPC); err != nil {
			return err
		}
	}
	return nil
}

func (s *System) program(name, address string, gRPC bool) (*Program, error) {
	l, err := s.stores.log(name)
	if err != nil {
		return nil, err
	}
	p := &Program{Name: name, Address: address, path: Bin(name), env: s.environment(name, address, gRPC), log: l}
	if name == "simulator" {
		p.args = []string{"-history", strconv.Itoa(simulatorHistory)}
	}
	return p, nil
}

// simulatorHistory is how many calls, webhooks and events the simulator keeps: those of the longest run.
const simulatorHistory = 1_000_000

// Twin returns a second replica of a service, on the same port of another loopback address. It is not started.
func (s *System) Twin(p *Program, host string) (*Program, error) {
	address := func(of string) string {
		_, port, _ := net.SplitHostPort(of)
		return net.JoinHostPort(host, port)
	}
	twin, err := s.program(p.Name, address(p.Address), true)
	if err != nil {
		return nil, err
	}
	for i, pair := range twin.env {
		if name, of, _ := strings.Cut(pair, "="); name == "KNOBOT_HTTP_ADDR" || name == "KNOBOT_ADMIN_ADDR" {
			twin.env[i] = name + "=" + address(of)
		}
	}
	s.twins = append(s.twins, twin)
	return twin, nil
}

func (s *System) environment(name, address string, gRPC bool) []string {
	env := maps.Clone(s.env)
	if gRPC {
		env["KNOBOT_GRPC_ADDR"] = address
		env["KNOBOT_DATABASE_URL"] = s.through(Database, s.stores.Postgres.URL(s.Database, name).Reveal())
		env["KNOBOT_MIGRATE_DATABASE_URL"] = s.stores.Postgres.URL(s.Database, name+"_owner").Reveal()
	}
	forbidSecrets(s.stores.Watch, env)
	pairs := make([]string, 0, len(env))
	for k, v := range env {
		pairs = append(pairs, k+"="+v)
	}
	slices.Sort(pairs)
	return pairs
}

func (s *System) prepareDatabase(ctx context.Context) error {
	pg := s.stores.Postgres
	if err := pg.EnsureDatabase(ctx, s.Database); err != nil {
		return err
	}
	for _, service := range []string{"gateway", "conversation", "rag", "channels"} {
		err := errors.Join(pg.EnsureRole(ctx, service), pg.EnsureRole(ctx, service+"_owner"), pg.AllowSchemas(ctx, s.Database, service+"_owner"))
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *System) migrate(ctx context.Context) error {
	for _, p := range []*Program{s.Gateway, s.Conversation, s.RAG, s.Channels} {
		if err := p.runOnce(ctx, "migrate"); err != nil {
			return err
		}
	}
	return nil
}

func (s *System) startAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, p := range s.Programs() {
		if err := p.Start(); err != nil {
			return err
		}
	}
	for _, p := range s.Services() {
		if err := p.WaitServing(ctx); err != nil {
			return err
		}
	}
	return errors.Join(s.awaitSimulator(ctx), s.awaitEdge(ctx))
}

// awaitEdge waits until the gateway knows the integrations and the conversation service takes webhooks: before that it answers
// 503, as it should, and a provider would come again. A webhook without any event changes nothing.
func (s *System) awaitEdge(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := s.PostTelegram(ctx, []byte(`{"update_id":1}`))
		if err == nil && (status == http.StatusOK || status == http.StatusUnauthorized) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the gateway answers %d: %w", status, errors.Join(err, ctx.Err()))
		}
	}
}

// Services are the four, callees first.
func (s *System) Services() []*Program {
	return []*Program{s.Channels, s.RAG, s.Conversation, s.Gateway}
}

// Programs are all that run, without twins.
func (s *System) Programs() []*Program { return append([]*Program{s.SimulatorOf}, s.Services()...) }

// Conn returns a connection to a service, to the gateway with the owner's key.
func (s *System) Conn(p *Program) *grpc.ClientConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.conns[p.Name]; ok {
		return c
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if p.Name == s.Gateway.Name {
		options = append(options, grpc.WithPerRPCCredentials(Bearer(s.Credentials.AdminKey)))
	}
	c, err := grpc.NewClient(p.Address, options...)
	if err != nil {
		panic(err) // only for an address that cannot be parsed
	}
	s.conns[p.Name] = c
	return c
}

// Logs returns everything that the programs printed.
func (s *System) Logs() string {
	all := ""
	for _, p := range append(s.Programs(), s.twins...) {
		all += "== " + p.Name + " " + p.Address + "\n" + p.log.String()
	}
	return all
}

// Stop ends every program in order.
func (s *System) Stop() {
	for _, c := range s.conns {
		_ = c.Close()
	}
	for _, p := range slices.Backward(append(s.Programs(), s.twins...)) {
		p.Stop()
	}
}

// Ports are chosen below the range from which the kernel takes those of outgoing connections (32768 and up on Linux).
const firstPort, ports = 20_000, 12_000

// slice is how many of them one process chooses from.
const slice = 2_000

// chosenPorts are this process's.
var chosenPorts sync.Map //nolint:gochecknoglobals // ports belong to the whole machine

func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range 100 * n {
		// Between the choice and the program's start nobody holds the port: another process of tests shall not choose it
		// meanwhile, nor shall we again.
		port := firstPort + slice*(os.Getpid()%(ports/slice)) + mathrand.IntN(slice)
		if _, chosen := chosenPorts.LoadOrStore(port, true); chosen {
			continue
		}
		address := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
		if err != nil {
			continue // somebody has it
		}
		defer func() { _ = l.Close() }() // all stay open until all are chosen
		if addresses = append(addresses, address); len(addresses) == n {
			return addresses, nil
		}
	}
	return nil, errors.New("too few free ports")
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func (s *System) awaitSimulator(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.Simulator.Health(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.SimulatorOf.done:
			return fmt.Errorf("the simulator ended:\n%s", s.SimulatorOf.log.Tail(4000))
		case <-ctx.Done():
			return fmt.Errorf("the simulator does not serve: %w\n%s", err, s.SimulatorOf.log.Tail(4000))
		}
	}
}
