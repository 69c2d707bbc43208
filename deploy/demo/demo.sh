#!/usr/bin/env bash
# Two real databases follow a Git repository.
#
#   deploy/demo/demo.sh [BUILD_FOLDER]
#
# Starts a private PostgreSQL server on a free port, creates a Git repository with revisions and manifests in a temporary
# folder, runs athanor-operator on it, and commits changes. Everything is stopped and removed at the end, and on Ctrl-C.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(realpath "${1:-$root/build}")
postgres=$root/tests/support/throwaway-postgres
# The user's environment must not affect the demo.
unset DATABASE_URL PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGSERVICE
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi
step=0
heading() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"; }
note() { printf '%s%s%s\n' "$dim" "$1" "$plain"; }
show() { printf '%s$ %s%s\n' "$green" "$*" "$plain"; "$@"; }
indent() { sed 's/^/  /'; }

work=$(mktemp -d "${TMPDIR:-/tmp}/athanor-demo.XXXXXX")
chmod 755 "$work"
operator=""
finish() {
  local status=$?
  trap - EXIT INT TERM
  if [ "$status" != 0 ] && [ "$status" != 130 ] && [ "$status" != 143 ]; then
    printf '\n%sThe demo failed.%s Last lines of the operator:\n' "$red" "$plain" >&2
    [ ! -f "$work/operator.log" ] || tail -n 20 "$work/operator.log" >&2
  fi
  if [ -n "$operator" ]; then
    kill "$operator" 2>/dev/null || true
    wait "$operator" 2>/dev/null || true
  fi
  "$postgres" stop "$work/postgres" 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

psql=""
for candidate in /usr/lib/postgresql/*/bin/psql; do psql=$candidate; done

heading "A throwaway PostgreSQL"
admin=$("$postgres" start "$work/postgres")
server=${admin%/*}
"$psql" -Xq "$admin" -c 'CREATE DATABASE shop_berlin' -c 'CREATE DATABASE shop_lisbon'
# This password belongs to the throwaway server only.
note "$("$psql" -XAtq "$admin" -c 'SELECT version()' | cut -d'(' -f1) on port ${server##*:}, with databases shop_berlin and shop_lisbon"

heading "A Git repository: revisions, and one manifest per database"
repository=$work/repository
mkdir -p "$repository/manifests"
cp -r "$root/migrations/examples/shop/versions" "$repository/versions"
for city in berlin lisbon; do
  cat >"$repository/manifests/$city.yaml" <<MANIFEST
apiVersion: athanor.dev/v1alpha1
kind: DatabaseMigration
metadata:
  name: $city
  namespace: shop
spec:
  database:
    url: $server/shop_$city
  source:
    path: ../versions
  targetRevision: 2b7d9e1f4a60
MANIFEST
done
git_commit() { git -C "$repository" -c user.name=Demo -c user.email=demo@example.org commit -q "$@"; }
git -C "$repository" init -q -b main
git -C "$repository" add .
git_commit -m "Declare two shops"
(cd "$repository" && ls versions | indent)
sed "s#//[^@]*@#//…@#" "$repository/manifests/berlin.yaml" | indent

heading "The operator reads the manifests"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
state=$work/state
"$build/bin/athanor-operator" --manifests "$repository/manifests" --source-root "$repository" --state "$state" --listen "127.0.0.1:$port" \
  >"$work/operator.log" 2>&1 &
operator=$!
note "athanor-operator --manifests manifests --source-root . --state state --listen 127.0.0.1:$port"

status_file() { echo "$state/shop.$1.status.yaml"; }
# Prints the first value of a field in a status that was read before: field "$text" phase
field() { sed -n "/^ *$2: */{s///p;q;}" <<<"$1" | tr -d '"'; }
# Prints a resource's status as it changes, until it has reached a phase for the declared revision.
follow() {
  local city=$1 phase=$2 revision=$3 text line last="" done rows
  for _ in $(seq 1200); do
    text=$(cat "$(status_file "$city")" 2>/dev/null || true)
    [ "$(field "$text" targetRevision)" = "$revision" ] || text=""  # the status still describes the previous commit
    line=$(field "$text" phase)
    if [ "$line" = Migrating ] && grep -q '^ *progress:' <<<"$text"; then
      done=$(field "$text" done) rows=$(field "$text" rows)
      line="$line: ${done:-0} of $(field "$text" total) revisions done${rows:+, $rows rows of the next}"
    fi
    if [ -n "$line" ] && [ "$line" != "$last" ]; then
      printf '  %-7s %s\n' "$city" "$line"
      last=$line
    fi
    [ "$(field "$text" phase)" != "$phase" ] || return 0
    kill -0 "$operator" 2>/dev/null || { echo "athanor-operator ended" >&2; return 1; }
    sleep 0.02
  done
  echo "$city did not become $phase at $revision in time" >&2
  return 1
}
follow berlin Ready 2b7d9e1f4a60
follow lisbon Ready 2b7d9e1f4a60
"$psql" -Xq "$server/shop_berlin" -c "INSERT INTO customers (login, tier) SELECT 'customer' || n, 'basic' FROM generate_series(1, 100000) n"
note "Berlin now has 100,000 customers."

heading "Plan the next release"
export DATABASE_URL=$server/shop_berlin
show "$build/bin/athanor" --migrations "$repository/versions" plan upgrade 4d9f1a3b6c82 --show-sql 2>&1 | sed "s#$build/bin/##; s#$repository/##g"

heading "One field changes, in one commit"
sed -i 's/targetRevision: .*/targetRevision: 4d9f1a3b6c82/' "$repository/manifests/berlin.yaml"
git_commit -am "Berlin: customers get an email address"
git -C "$repository" show --format='%h %s' --unified=0 HEAD -- manifests | grep -E '^[0-9a-f]{7}|^[+-] ' | indent
follow berlin Ready 4d9f1a3b6c82

heading "Berlin has the new schema, and Lisbon waits for its own commit"
"$psql" -Xq "$server/shop_berlin" -c '\d customers' | indent
"$psql" -XAtq "$server/shop_berlin" -c "SELECT 'emails filled: ' || count(email) || ' of ' || count(*) FROM customers" | indent
"$psql" -XAtq "$server/shop_lisbon" -c "SELECT 'Lisbon is at ' || version_num FROM alembic_version" | indent

heading "The schema changes, and Athanor writes the revision and proves it"
cat >"$repository/athanor.yaml" <<CONFIGURATION
version_locations: [versions]
desired_schema: schema.sql
scratch_url: $admin
CONFIGURATION
athanor() { (cd "$repository" && env -u DATABASE_URL XDG_CACHE_HOME="$work/cache" "$build/bin/athanor" "$@"); }
athanor inspect head >"$repository/schema.sql"
sed -i 's/^CREATE TABLE public.customers (/&\n    phone text CHECK (phone <> '"''"'),/' "$repository/schema.sql"
show athanor revision --autogenerate -m "Add a phone number to customers" 2>&1
written=$(basename "$repository"/versions/*_add_a_phone_number_to_customers.sql)
sed -n '/athanor:upgrade/,$p' "$repository/versions/$written" | indent
sed -i "s/targetRevision: .*/targetRevision: ${written%%_*}/" "$repository/manifests/berlin.yaml"
git -C "$repository" add versions manifests schema.sql
git_commit -m "Berlin: customers get a phone number"
follow berlin Ready "${written%%_*}"

heading "A downgrade is refused unless the manifest allows it"
sed -i 's/targetRevision: .*/targetRevision: 1f0a3c5e7b91/' "$repository/manifests/lisbon.yaml"
git_commit -am "Lisbon: back to where it was"
follow lisbon Stalled 1f0a3c5e7b91
sed -n '/^ *conditions:/,$p' "$(status_file lisbon)" | indent

heading "The status of the resource"
sed "s#//[^@]*@#//…@#" "$(status_file berlin)" | indent

heading "The history in the database"
"$psql" -Xq "$server/shop_berlin" -c "SELECT revision, direction, outcome, duration_ms AS ms, actor FROM athanor.history ORDER BY id" | indent

heading "Metrics for Prometheus"
python3 - "$port" <<'PYTHON' | indent
import sys, urllib.request
text = urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics", timeout=5).read().decode()
for line in text.splitlines():
    if line.startswith("controller_runtime_reconcile_total"):
        print(line)
PYTHON

printf '\n%sDone.%s The demo removed everything it had created. Next: README.md, or `%s`.\n' "$green" "$plain" "athanor help"
