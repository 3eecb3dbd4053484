package postgres

// NoWait, first in a transaction or in a batch without one, has its commit return before it is on the disk. A crash of the
// database may then undo the whole of it, as if it had not happened, but nothing that was committed before it or is committed
// after it and waited for (https://www.postgresql.org/docs/15/wal-async-commit.html, read 2026-11-26). It is for what does
// itself again.
const NoWait = `select set_config('synchronous_commit', 'off', true)`
