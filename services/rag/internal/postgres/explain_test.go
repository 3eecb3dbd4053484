package postgres

import (
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/pgtest"
	rag "github.com/knobot/knobot/services/rag"
)

// TestStatementsOfASearchUseTheirIndexes explains what every question asks, over 10,000 passages and 3,000 documents, with the
// planner's statistics and before it has any.
func TestStatementsOfASearchUseTheirIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.Database(t, Schema())
	fill(t, pool)
	var kb string
	require.NoError(t, pool.QueryRow(t.Context(), `select id::text from knowledge_bases where name = 'default'`).Scan(&kb))
	var ids []string
	require.NoError(t, pool.QueryRow(t.Context(), `select array_agg(id::text) from (select id from passages limit 20) as first20`).Scan(&ids))
	var versions []string
	require.NoError(t, pool.QueryRow(t.Context(), `select array_agg(version_id::text) from (select version_id from documents limit 2) as first2`).Scan(&versions))
	for _, statistics := range []string{"", "analyze"} {
		_, err := pool.Exec(t.Context(), statistics)
		require.NoError(t, err)
		for name, c := range map[string]struct {
			statement string
			args      []any
			index     string
		}{
			"Statistics": {selectStatistics, []any{rag.DefaultKnowledgeBase, []string{"envi", "cuest", "plaz"}}, "stem_counts_pkey"},
			"Contents":   {selectContents, []any{ids}, "passages_pkey"},
			"Holders":    {selectHolders, []any{versions, kb}, "documents_version_id_key"},
			"Live":       {selectLive, []any{ids, rag.DefaultKnowledgeBase}, "passages_pkey"},
		} {
			plan, pages := explain(t, pool, c.statement, c.args...)
			require.Contains(t, plan, c.index, "%s: %s", name, plan)
			require.Less(t, pages, 1000, "%s: %s", name, plan)
		}
	}
}

// explain runs a statement and returns its plan, and how many pages it looked at.
func explain(t *testing.T, pool *pgxpool.Pool, statement string, args ...any) (plan string, pages int) {
	t.Helper()
	var text []byte
	require.NoError(t, pool.QueryRow(t.Context(), "explain (analyze, buffers, format json) "+statement, args...).Scan(&text))
	var explained []struct {
		Plan struct {
			Hits  int `json:"Shared Hit Blocks"`
			Reads int `json:"Shared Read Blocks"`
		}
	}
	require.NoError(t, json.Unmarshal(text, &explained))
	return string(text), explained[0].Plan.Hits + explained[0].Plan.Reads
}

func fill(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for _, statement := range []string{
		`insert into versions (id, knowledge_base_id, state, hash, content, recipe)
		 select gen_random_uuid(), k.id, 'active', sha256(n::text::bytea), '', '1' from knowledge_bases k, generate_series(1, 3000) n`,
		`insert into documents (knowledge_base_id, name, title, source_uri, content_type, version_id, version, passage_count, audience, trust)
		 select knowledge_base_id, encode(hash, 'hex'), 'título', '', 'text/plain', id, 1, 50, 'public', 'company' from versions`,
		`insert into passages (id, version_id, ordinal, heading_path, text, stems)
		 select gen_random_uuid(), v.id, n, array['a', 'b'], repeat('palabra ', 90), array(select 'stem' || (random() * 5000)::int from generate_series(1, 80 + n % 2))
		 from (select id from versions limit 200) v, generate_series(1, 50) n`,
		`insert into stem_counts (knowledge_base_id, stem, passages) select k.id, 'stem' || n, n from knowledge_bases k, generate_series(1, 5000) n`,
		`update knowledge_bases set passage_count = 10000`,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}
