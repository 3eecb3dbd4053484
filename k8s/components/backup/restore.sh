#!/bin/sh
# Restores RESTORE_FILE, or the newest dump of BACKUP_DIR, into the database of PGHOST, PGUSER, PGPASSWORD and PGDATABASE: all of
# it or nothing. It refuses a database that has a schema of KnoBot, so that it never overwrites what is there. The roles must
# exist (roles.sql), and PGUSER must be a superuser or a member of the four owners.
set -eu
dir=${BACKUP_DIR:?}
file=${RESTORE_FILE:-$(ls -1 "$dir" | grep '^knobot-.*\.dump$' | sort | tail -n 1)}
if [ -z "$file" ]; then
  echo "there is no dump in $dir" >&2
  exit 1
fi

found=$(psql -AtX -v ON_ERROR_STOP=1 -d "${PGDATABASE:?}" -c \
  "select string_agg(nspname, ', ') from pg_namespace where nspname in ('gateway', 'conversation', 'rag', 'channels')")
if [ -n "$found" ]; then
  echo "the database $PGDATABASE has data already (schemas: $found): drop them, or restore into an empty database" >&2
  exit 1
fi
pg_restore --exit-on-error --single-transaction --dbname="$PGDATABASE" "$dir/$file"
echo "restored $file"
