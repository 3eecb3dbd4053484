#!/bin/sh
# Starts PostgreSQL as the official image does, as far as k8s/components/postgres needs it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --pgdata="$PGDATA" --username=postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=/dev/stdin \
    --encoding=UTF8 --locale=C.UTF-8 <<EOF
${POSTGRES_PASSWORD:?}
EOF
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl --pgdata="$PGDATA" --options="-c listen_addresses=" --wait start
  createdb --username=postgres "${POSTGRES_DB:?}"
  for script in /docker-entrypoint-initdb.d/*.sql; do
    psql --username=postgres --dbname="$POSTGRES_DB" --set=ON_ERROR_STOP=1 --no-psqlrc --file="$script"
  done
  pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' "$@"
