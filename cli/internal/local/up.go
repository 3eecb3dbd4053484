// Package local runs all of KnoBot on one machine: PostgreSQL, Weaviate, the four services and the simulator.
package local

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/knobot/knobot/platform/child"
	"github.com/knobot/knobot/platform/localweaviate"
)

// Options say where things are.
type Options struct {
	BinDir  string    // the programs; empty: beside this one
	DataDir string    // what stays between starts; empty: KNOBOT_DATA_DIR, else .knobot below the working folder
	DotEnv  string    // a file of further settings; empty: .env in the working folder
	Out     io.Writer // what the person reads
}

// stack is everything that runs, with how to stop it.
type stack struct {
	Options
	env                environment
	whatsapp, telegram bool // simulated
	db                 *database
	closers            []func()
	processes          []*process
	started            time.Time
	thread             *child.Thread
}

// Up starts everything, tells where to chat, and stops it all when ctx ends or a program fails. Data stays.
func Up(ctx context.Context, o Options) error {
	s, err := newStack(o)
	if err != nil {
		return err
	}
	defer s.stop()
	steps := []func(context.Context) error{s.startStores, s.migrate, s.startSimulator, s.startServices, s.releaseDemo, s.loadSample}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.tell()
	return s.wait(ctx)
}

func newStack(o Options) (*stack, error) {
	if o.BinDir == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		o.BinDir = filepath.Dir(self)
	}
	if o.DotEnv == "" {
		o.DotEnv = ".env"
	}
	env, err := loadEnvironment(o.DotEnv)
	if err != nil {
		return nil, err
	}
	if o.DataDir == "" {
		o.DataDir = env["KNOBOT_DATA_DIR"]
	}
	if o.DataDir, err = dataDir(o.DataDir); err != nil {
		return nil, err
	}
	thread, err := child.NewThread(nil)
	if err != nil {
		return nil, err
	}
	s := &stack{Options: o, env: env, started: time.Now(), thread: thread}
	plan(env)
	env.choose("KNOBOT_CACHE_DIR", filepath.Join(o.DataDir, "cache"))
	if err := s.planSimulator(); err != nil {
		return nil, err
	}
	return s, checkFree(env, s.whatsapp || s.telegram)
}

// planSimulator points the platforms of which the person set nothing at the simulator, with its demo credentials.
func (s *stack) planSimulator() error {
	s.whatsapp, s.telegram = s.env.simulated()
	if !s.whatsapp && !s.telegram {
		return nil
	}
	demo, err := demoCredentials(s.DataDir)
	if err != nil {
		return err
	}
	address := s.env.choose("KNOBOT_SIMULATOR_ADDR", "127.0.0.1:9800")
	s.env.choose("KNOBOT_SIMULATOR_WEBHOOK_URL", "http://"+s.env["KNOBOT_HTTP_ADDR"])
	if s.whatsapp {
		s.env["WHATSAPP_API_URL"] = "http://" + address
		for _, name := range []string{"WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_ACCESS_TOKEN", "WHATSAPP_VERIFY_TOKEN", "WHATSAPP_APP_SECRET"} {
			s.env[name] = demo[name]
		}
	}
	if s.telegram {
		s.env["TELEGRAM_API_URL"] = "http://" + address
		for _, name := range []string{"TELEGRAM_BOT_TOKEN", "TELEGRAM_SECRET_TOKEN"} {
			s.env[name] = demo[name]
		}
	}
	return nil
}

func (s *stack) say(format string, a ...any) { fmt.Fprintf(s.Out, format+"\n", a...) }

// startStores starts PostgreSQL and Weaviate unless others are configured.
func (s *stack) startStores(ctx context.Context) error {
	if !s.env.set("KNOBOT_ENCRYPTION_KEYSET") {
		path, err := ensureKeyset(s.DataDir)
		if err != nil {
			return err
		}
		s.env["KNOBOT_ENCRYPTION_KEYSET_FILE"] = path
	}
	if !s.env.set("KNOBOT_ADMIN_API_KEY") {
		path, err := ensureAdminKey(s.DataDir)
		if err != nil {
			return err
		}
		s.env["KNOBOT_ADMIN_API_KEY_FILE"] = path
	}
	s.env.choose("KNOBOT_MEDIA_URL", mediaURL(s.DataDir))
	if !s.env.set("KNOBOT_DATABASE_URL") {
		s.say("Starting PostgreSQL …")
		db, err := startDatabase(ctx, s.DataDir, s.say)
		if err != nil {
			return err
		}
		s.db = db
		s.onStop(db.server.Stop)
	}
	if !s.env.set("KNOBOT_WEAVIATE_URL") {
		s.say("Starting Weaviate …")
		w, err := localweaviate.Start(ctx, localweaviate.Options{
			Binary: filepath.Join(s.BinDir, "weaviate-server"), Dir: filepath.Join(s.DataDir, "weaviate"),
		})
		if err != nil {
			return err
		}
		s.onStop(w.Stop)
		s.env["KNOBOT_WEAVIATE_URL"] = w.HTTPURL
		s.env["KNOBOT_WEAVIATE_GRPC_ADDR"] = w.GRPCAddr
		s.env["KNOBOT_WEAVIATE_API_KEY"] = w.APIKey.Reveal()
	}
	return nil
}

func (s *stack) migrate(ctx context.Context) error {
	for _, spec := range specs() {
		if !spec.schema {
			continue
		}
		if err := runOnce(ctx, forService(s.env, spec, s.db).list(), s.bin(spec.name), "migrate"); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) startSimulator(context.Context) error {
	if !s.whatsapp && !s.telegram {
		return nil
	}
	s.say("Starting the simulator …")
	return s.start("simulator", s.env)
}

func (s *stack) startServices(ctx context.Context) error {
	s.say("Starting channels, rag, conversation and gateway …")
	for _, spec := range specs() {
		if err := s.start(spec.name, forService(s.env, spec, s.db)); err != nil {
			return err
		}
	}
	for _, spec := range specs() {
		if err := s.waitReady(ctx, spec); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) bin(name string) string { return filepath.Join(s.BinDir, name) }

func (s *stack) start(name string, env environment) error {
	logDir := filepath.Join(s.DataDir, "logs")
	if err := os.MkdirAll(logDir, 0o700); err != nil {
		return err
	}
	p, err := startProcess(s.thread, s.bin(name), env.list(), logDir)
	if err != nil {
		return err
	}
	s.processes = append(s.processes, p)
	return nil
}

func (s *stack) onStop(f func()) { s.closers = append(s.closers, f) }

// stop ends the programs side by side, because each may need its drain, then the stores.
func (s *stack) stop() {
	if len(s.processes) > 0 {
		s.say("Stopping …")
	}
	ended := make(chan struct{}, len(s.processes))
	for _, p := range s.processes {
		go func() { p.Stop(); ended <- struct{}{} }()
	}
	for range s.processes {
		<-ended
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
	s.thread.Close()
}
