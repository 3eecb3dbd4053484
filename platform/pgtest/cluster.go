package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/localpg"
	"github.com/knobot/knobot/platform/postgres"
)

// cluster is a server with templates, one for each set of schemas.
type cluster struct {
	admin  *pgxpool.Pool
	server *localpg.Server // nil: somebody else's
	base   string
	prefix string // of our databases, as others may test on the same server
	serial atomic.Int64

	mu        sync.Mutex
	templates map[string]*template
}

// template is made by the first test that needs it; the others wait.
type template struct {
	once sync.Once
	name string
	err  error
}

func newCluster(serverURL string) (*cluster, error) {
	c := &cluster{base: serverURL, templates: map[string]*template{}}
	c.prefix = "kt_" + strings.ToLower(rand.Text()[:8]) + "_"
	if serverURL == "" {
		server, err := localpg.Start(context.Background(), localpg.Options{})
		if err != nil {
			return nil, err
		}
		c.server, c.base = server, server.URL("postgres").Reveal()
	}
	if _, err := withDatabase(c.base, "postgres"); err != nil {
		return nil, err
	}
	admin, err := postgres.Open(context.Background(), env.Secret(c.base), postgres.WithMaxConns(4), postgres.WithName("pgtest"))
	if err != nil {
		c.stop()
		return nil, err
	}
	c.admin = admin
	return c, nil
}

func (c *cluster) stop() {
	if c.admin != nil {
		for _, t := range c.templates {
			if t.name != "" && c.server == nil {
				_ = c.drop(t.name)
			}
		}
		c.admin.Close()
	}
	if c.server != nil {
		c.server.Stop()
	}
}

func (c *cluster) url(name string) env.Secret {
	u, err := withDatabase(c.base, name)
	if err != nil { // newCluster has parsed it
		panic(err)
	}
	return u
}

// clone makes a database for one test.
func (c *cluster) clone(ctx context.Context, schemas []postgres.Schema) (string, error) {
	from, err := c.template(ctx, schemas)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s%d", c.prefix, c.serial.Add(1))
	_, err = c.admin.Exec(ctx, fmt.Sprintf(`create database %s template %s`, name, from))
	return name, err
}

func (c *cluster) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), workTimeout)
	defer cancel()
	_, err := c.admin.Exec(ctx, fmt.Sprintf(`drop database if exists %s with (force)`, name))
	return err
}

// template returns the name of the migrated database to clone from.
func (c *cluster) template(ctx context.Context, schemas []postgres.Schema) (string, error) {
	if len(schemas) == 0 {
		return "template0", nil
	}
	key, err := digest(schemas)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	t, ok := c.templates[key]
	if !ok {
		t = &template{}
		c.templates[key] = t
	}
	c.mu.Unlock()
	t.once.Do(func() {
		t.name = c.prefix + "template_" + key
		// Not the first test's own context: others wait for the result.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
		defer cancel()
		t.err = c.build(ctx, t.name, schemas)
	})
	return t.name, t.err
}

func (c *cluster) build(ctx context.Context, name string, schemas []postgres.Schema) error {
	if _, err := c.admin.Exec(ctx, `create database `+name+` template template0`); err != nil {
		return err
	}
	for _, s := range schemas {
		if err := s.Migrate(ctx, c.url(name), ""); err != nil {
			return err
		}
	}
	return nil
}

// digest names a set of schemas by all that is in their migrations.
func digest(schemas []postgres.Schema) (string, error) {
	h := sha256.New()
	for _, s := range schemas {
		_, _ = fmt.Fprintf(h, "schema %s\n", s.Name)
		err := fs.WalkDir(s.Migrations, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := fs.ReadFile(s.Migrations, path)
			_, _ = fmt.Fprintf(h, "%s %d\n%s", path, len(body), body)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
