package postgres

// NoWait comes first in a transaction, or in a batch without one. The commit then returns before it is on the disk: a crash of
// the database may undo the whole of it, as if it had not happened, but nothing that was committed before it, and nothing that
// is waited for (https://www.postgresql.org/docs/15/wal-async-commit.html, read 2026-11-26). It is for what does itself again.
const NoWait = `select set_config('synchronous_commit', 'off', true)`
