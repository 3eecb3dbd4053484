#!/bin/sh
# Dumps the database of PGHOST, PGUSER, PGPASSWORD and PGDATABASE into BACKUP_DIR, in one consistent state, and keeps the newest
# BACKUP_KEEP dumps. A dump has its name only when it is whole.
set -eu
dir=${BACKUP_DIR:?}
keep=${BACKUP_KEEP:-14}
umask 077

part="$dir/.unfinished.$$"
trap 'rm -f "$part"' EXIT
pg_dump --format=custom --file="$part"
pg_restore --list "$part" >/dev/null
name="knobot-$(date -u +%Y%m%dT%H%M%SZ).dump"
sync "$part"
mv "$part" "$dir/$name"
echo "wrote $name"

# The names sort by time.
ls -1 "$dir" | grep '^knobot-.*\.dump$' | sort -r | tail -n "+$((keep + 1))" | while read -r old; do
  rm "$dir/$old"
  echo "removed $old"
done
