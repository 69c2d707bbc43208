/* The floor: what remains of a migration tool when everything but the database's work is taken away.
 *
 *   reference up|down CONNINFO FOLDER           apply NNNNN.up.sql in order, or NNNNN.down.sql backwards
 *   reference noop CONNINFO FOLDER              connect, read the version table, list the folder
 *   reference fleet CONNINFO FOLDER DATABASES   `up` on databases 0..N-1 ("%d" in CONNINFO) over 8 connections, one process
 *
 * Each revision is one implicit transaction of a libpq pipeline, with the writes Athanor does: its statement, the row of
 * alembic_version, a row of athanor.history. No lock, no parsing, no checks: only speed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kWindow = 64, kConnections = 8 };

static const char kSchema[] =
    "SET client_min_messages = error;"
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));"
    "CREATE SCHEMA IF NOT EXISTS athanor;"
    "CREATE TABLE IF NOT EXISTS athanor.history (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " version_table text NOT NULL, run_id text NOT NULL, revision text NOT NULL, direction text NOT NULL, outcome text NOT NULL,"
    " checksum text, plan_hash text, started_at timestamptz NOT NULL, duration_ms bigint NOT NULL, actor text NOT NULL,"
    " database_user text NOT NULL DEFAULT session_user, tool text NOT NULL, sqlstate text, message text)";
static const char kRecord[] =
    "INSERT INTO athanor.history (version_table, run_id, revision, direction, outcome, checksum, plan_hash, actor, tool,"
    " started_at, duration_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(),"
    " (extract(epoch FROM clock_timestamp() - now()) * 1000)::bigint)";
static const char kDigest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

typedef struct {
  int version;
  char *sql;
} Revision;

typedef struct {
  Revision *items;
  int count;
} Revisions;

static void die(PGconn *connection, const char *what) {
  fprintf(stderr, "reference: %s: %s\n", what, connection != NULL ? PQerrorMessage(connection) : "");
  exit(1);
}

static void accept(PGconn *connection, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    die(connection, PQresStatus(status));
  }
  PQclear(result);
}

static char *read_text(const char *folder, const char *name) {
  char path[4096], text[65536];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    die(NULL, path);
  }
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  return strdup(text);
}

static int by_version(const void *a, const void *b) { return ((const Revision *)a)->version - ((const Revision *)b)->version; }

static Revisions load(const char *folder, const char *suffix) {
  Revisions all = {NULL, 0};
  int room = 0;
  DIR *directory = opendir(folder);
  struct dirent *entry;
  if (directory == NULL) {
    die(NULL, folder);
  }
  while ((entry = readdir(directory)) != NULL) {
    size_t length = strlen(entry->d_name);
    if (length <= strlen(suffix) || strcmp(entry->d_name + length - strlen(suffix), suffix) != 0) {
      continue;
    }
    if (all.count == room) {
      room = room > 0 ? 2 * room : 1024;
      all.items = realloc(all.items, (size_t)room * sizeof *all.items);
    }
    all.items[all.count].version = atoi(entry->d_name);
    all.items[all.count++].sql = read_text(folder, entry->d_name);
  }
  closedir(directory);
  qsort(all.items, (size_t)all.count, sizeof *all.items, by_version);
  return all;
}

static PGconn *open_connection(const char *conninfo) {
  PGconn *connection = PQconnectdb(conninfo);
  if (PQstatus(connection) != CONNECTION_OK) {
    die(connection, "connect");
  }
  return connection;
}

static void drain_one(PGconn *connection) {
  for (int i = 0; i < 3; i++) { /* version row, statement, ledger */
    accept(connection, PQgetResult(connection));
    if (PQgetResult(connection) != NULL) {
      die(connection, "more answers than statements");
    }
  }
  PGresult *result = PQgetResult(connection);
  if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
    die(connection, "out of step");
  }
  PQclear(result);
}

static void send_revision(PGconn *connection, const Revision *revision, int down, int first, int last) {
  char from[32], to[32];
  snprintf(from, sizeof from, "%012x", (unsigned)(down ? revision->version : revision->version - 1));
  snprintf(to, sizeof to, "%012x", (unsigned)(down ? revision->version - 1 : revision->version));
  const char *row[] = {from, to};
  const char *record[] = {"public.alembic_version", "0123456789abcdef", down ? from : to, down ? "downgrade" : "upgrade",
                          "applied", kDigest, kDigest, "someone@somewhere", "athanor 0.1.0"};
  int sent = first  ? PQsendQueryPrepared(connection, "insert", 1, row + 1, NULL, NULL, 0)
             : last ? PQsendQueryPrepared(connection, "delete", 1, row, NULL, NULL, 0)
                    : PQsendQueryPrepared(connection, "update", 2, row, NULL, NULL, 0);
  if (!sent || !PQsendQueryParams(connection, revision->sql, 0, NULL, NULL, NULL, NULL, 0) ||
      !PQsendQueryPrepared(connection, "record", 9, record, NULL, NULL, 0) || !PQpipelineSync(connection)) {
    die(connection, "send");
  }
}

static void migrate(const char *conninfo, const Revisions *revisions, int down) {
  PGconn *connection = open_connection(conninfo);
  accept(connection, PQexec(connection, kSchema));
  accept(connection, PQprepare(connection, "insert", "INSERT INTO alembic_version VALUES ($1)", 0, NULL));
  accept(connection, PQprepare(connection, "delete", "DELETE FROM alembic_version WHERE version_num = $1", 0, NULL));
  accept(connection,
         PQprepare(connection, "update", "UPDATE alembic_version SET version_num = $2 WHERE version_num = $1", 0, NULL));
  accept(connection, PQprepare(connection, "record", kRecord, 0, NULL));
  if (!PQenterPipelineMode(connection)) {
    die(connection, "pipeline");
  }
  int in_flight = 0;
  for (int i = 0; i < revisions->count; i++) {
    const Revision *revision = &revisions->items[down ? revisions->count - 1 - i : i];
    send_revision(connection, revision, down, !down && i == 0, down && i == revisions->count - 1);
    if (++in_flight == kWindow) {
      for (; in_flight > kWindow / 2; in_flight--) {
        drain_one(connection);
      }
    }
  }
  for (; in_flight > 0; in_flight--) {
    drain_one(connection);
  }
  PQfinish(connection);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void look(const char *conninfo, const char *folder) {
  PGconn *connection = open_connection(conninfo);
  PGresult *result = PQexec(connection, "SELECT version_num FROM alembic_version");
  if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
    die(connection, "version table");
  }
  struct dirent **entries;
  int count = scandir(folder, &entries, NULL, by_name);
  printf("%s, %d files\n", PQgetvalue(result, 0, 0), count - 2);
  PQclear(result);
  PQfinish(connection);
}

typedef struct {
  const char *pattern;
  const Revisions *revisions;
  int databases;
  atomic_int next;
} Fleet;

static void *work(void *argument) {
  Fleet *fleet = argument;
  for (int i; (i = atomic_fetch_add(&fleet->next, 1)) < fleet->databases;) {
    char conninfo[1024];
    const char *hole = strstr(fleet->pattern, "%d");
    snprintf(conninfo, sizeof conninfo, "%.*s%d%s", (int)(hole - fleet->pattern), fleet->pattern, i, hole + 2);
    migrate(conninfo, fleet->revisions, 0);
  }
  return NULL;
}

static void migrate_fleet(const char *pattern, const Revisions *revisions, int databases) {
  Fleet fleet = {pattern, revisions, databases, 0};
  pthread_t threads[kConnections];
  if (strstr(pattern, "%d") == NULL) {
    die(NULL, "no %d in the connection string");
  }
  for (int i = 0; i < kConnections; i++) {
    pthread_create(&threads[i], NULL, work, &fleet);
  }
  for (int i = 0; i < kConnections; i++) {
    pthread_join(threads[i], NULL);
  }
}

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: reference up|down|noop|fleet CONNINFO FOLDER [DATABASES]\n");
    return 2;
  }
  const char *mode = arguments[1];
  if (strcmp(mode, "noop") == 0) {
    look(arguments[2], arguments[3]);
    return 0;
  }
  int down = strcmp(mode, "down") == 0;
  Revisions revisions = load(arguments[3], down ? ".down.sql" : ".up.sql");
  if (strcmp(mode, "fleet") == 0 && count == 5) {
    migrate_fleet(arguments[2], &revisions, atoi(arguments[4]));
  } else {
    migrate(arguments[2], &revisions, down);
  }
  return 0;
}
