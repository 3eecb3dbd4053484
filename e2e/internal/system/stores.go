package system

import (
	"context"
	"os"
	"path/filepath"

	"github.com/knobot/knobot/e2e/internal/leak"
	"github.com/knobot/knobot/platform/localpg"
	"github.com/knobot/knobot/platform/localweaviate"
)

// Stores are the servers that several systems share.
type Stores struct {
	Postgres *localpg.Server
	Weaviate *localweaviate.Server
	// Watch knows every log of every system on these servers, and what must not stand in there.
	Watch *leak.Watch

	logs  string // their folder
	media string // folder of files, one below it for each system
}

// StartStores starts PostgreSQL and Weaviate in a folder; durable keeps fsync on, for measurements.
func StartStores(ctx context.Context, dir string, durable bool) (*Stores, error) {
	s := &Stores{Watch: &leak.Watch{}, logs: filepath.Join(dir, "logs"), media: filepath.Join(dir, "media")}
	if err := os.Mkdir(s.logs, 0o700); err != nil {
		return nil, err
	}
	pgLog, err := s.log("postgres")
	if err != nil {
		return nil, err
	}
	weaviateLog, err := s.log("weaviate")
	if err != nil {
		return nil, err
	}
	s.Postgres, err = localpg.Start(ctx, localpg.Options{Dir: filepath.Join(dir, "pg"), Durable: durable, Output: pgLog})
	if err != nil {
		return nil, err
	}
	s.Weaviate, err = localweaviate.Start(ctx, localweaviate.Options{
		Binary: Bin("weaviate-server"), Dir: filepath.Join(dir, "weaviate"), Output: weaviateLog,
	})
	if err != nil {
		s.Postgres.Stop()
		return nil, err
	}
	return s, nil
}

// WithPostgres returns stores with a PostgreSQL server of their own, which a test may break. The rest is shared. Stop it by
// Postgres.Stop.
func (s *Stores) WithPostgres(ctx context.Context, dir string) (*Stores, error) {
	output, err := s.log("postgres")
	if err != nil {
		return nil, err
	}
	own := &Stores{Weaviate: s.Weaviate, Watch: s.Watch, logs: s.logs, media: s.media}
	own.Postgres, err = localpg.Start(ctx, localpg.Options{Dir: dir, Durable: true, Output: output})
	return own, err
}

// log makes the log of a program and has it watched.
func (s *Stores) log(program string) (*Log, error) {
	l, err := newLog(s.logs, program)
	if err == nil {
		s.Watch.Follow(program, l.file.Name())
	}
	return l, err
}

// Stop stops both.
func (s *Stores) Stop() {
	s.Weaviate.Stop()
	s.Postgres.Stop()
}
