package doctor

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/postgres"
)

// The checks of Database.
const (
	checkDatabase = "database"
	checkSchema   = "database.schema"
	checkClock    = "database.clock"
)

// databaseTimeout bounds each question, so that a database that hangs is a finding and not a doctor that hangs.
const databaseTimeout = 5 * time.Second

// Database says whether a service's database answers, has the schema that the program needs, and agrees on the time.
func Database(ctx context.Context, pool *pgxpool.Pool, schema postgres.Schema) []Finding {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	asked := time.Now()
	var theirs time.Time
	if err := pool.QueryRow(ctx, `select clock_timestamp()`).Scan(&theirs); err != nil {
		return []Finding{Fail(checkDatabase, "PostgreSQL does not answer").
			With("start it, and compare KNOBOT_DATABASE_URL with its address, role and password; the service's log says more")}
	}
	took := time.Since(asked)
	return []Finding{
		Fine(checkDatabase, "PostgreSQL answered in %s", took.Round(time.Millisecond)),
		schemaOf(ctx, pool, schema),
		// Their clock was read somewhere between the question and the answer.
		Clock(checkClock, "the database", theirs.Sub(asked.Add(took/2))),
	}
}

func schemaOf(ctx context.Context, pool *pgxpool.Pool, schema postgres.Schema) Finding {
	v, err := schema.Versions(ctx, pool)
	switch {
	case fault.IsKind(err, fault.Unavailable):
		return Skip(checkSchema, "the database went away")
	case err != nil:
		return Fail(checkSchema, "the version of schema %q cannot be read", schema.Name).
			With("let the schema's owner run this program with the argument `migrate`")
	case v.Stored < v.Needed:
		return Fail(checkSchema, "schema %q is at version %d, this program needs %d", schema.Name, v.Stored, v.Needed).
			With("run this program with the argument `migrate`")
	case v.Stored > v.Needed:
		return Warn(checkSchema, "schema %q is at version %d, this program knows %d: a newer one was here", schema.Name, v.Stored, v.Needed).
			With("finish the rollout of the newer version, or leave it so after going back")
	default:
		return Fine(checkSchema, "schema %q is at version %d", schema.Name, v.Stored)
	}
}
