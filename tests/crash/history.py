"""A history of revisions whose every effect shows when it happens twice, half or not at all, and what must hold at any moment.

Each revision writes one row per part into `effects`, which has no key: a part that runs twice is there twice. The ledger says how often
each revision was applied, and the two must agree whatever was killed in between.
"""
import pathlib

ROWS = 400

# A schema that is there before the first revision, because effects outlive a downgrade.
SETUP = f"""
CREATE TABLE effects (revision text NOT NULL, direction text NOT NULL, part text NOT NULL);
CREATE TABLE work (id int PRIMARY KEY, upgrades int NOT NULL DEFAULT 0, downgrades int NOT NULL DEFAULT 0, touched int NOT NULL DEFAULT 0);
INSERT INTO work SELECT g FROM generate_series(1, {ROWS}) g;
CREATE TABLE copies (id int NOT NULL, revision text NOT NULL, direction text NOT NULL);
CREATE PROCEDURE twice(revision text, direction text) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO effects VALUES (revision, direction, 'call one');
  COMMIT;
  PERFORM pg_sleep(0.02);
  INSERT INTO effects VALUES (revision, direction, 'call two');
END $$;
"""

TRANSACTION = "-- athanor:step transaction"
AUTOCOMMIT = "-- athanor:step autocommit"
BATCH = "-- athanor:step batch table=work key=id size=50 pause=1ms"


def effect(revision, direction, part):
    return f"INSERT INTO effects VALUES ('{revision}', '{direction}', '{part}');"


def plain(revision):
    return ([f"CREATE TABLE t_{revision} (id int);", effect(revision, "upgrade", "row"), "SELECT pg_sleep(0.005);"],
            [f"DROP TABLE t_{revision};", effect(revision, "downgrade", "row")])


def index(revision):
    return ([AUTOCOMMIT, f"CREATE INDEX CONCURRENTLY a_{revision} ON work (touched);",
             f"CREATE UNIQUE INDEX CONCURRENTLY b_{revision} ON work (id, touched);", TRANSACTION, effect(revision, "upgrade", "row")],
            [AUTOCOMMIT, f"DROP INDEX CONCURRENTLY b_{revision};", f"DROP INDEX CONCURRENTLY a_{revision};", TRANSACTION,
             effect(revision, "downgrade", "row")])


def label(revision):
    return ([f"CREATE TYPE e_{revision} AS ENUM ('one');", AUTOCOMMIT, f"ALTER TYPE e_{revision} ADD VALUE 'two';",
             f"ALTER TYPE e_{revision} ADD VALUE 'three';", TRANSACTION, effect(revision, "upgrade", "row")],
            [f"DROP TYPE e_{revision};", effect(revision, "downgrade", "row")])


def label_at_once(revision):
    return ([f"CREATE TYPE e_{revision} AS ENUM ('one', 'two', 'three');", effect(revision, "upgrade", "row"), "SELECT pg_sleep(0.02);"],
            [f"DROP TYPE e_{revision};", effect(revision, "downgrade", "row")])


def reindex(revision):
    return ([effect(revision, "upgrade", "row"), AUTOCOMMIT, "REINDEX INDEX CONCURRENTLY work_pkey;", "REINDEX TABLE CONCURRENTLY work;"],
            [AUTOCOMMIT, "REINDEX TABLE CONCURRENTLY work;", TRANSACTION, effect(revision, "downgrade", "row")])


def detach(revision):
    return ([f"CREATE TABLE p_{revision} (k int) PARTITION BY LIST (k);",
             f"CREATE TABLE p_{revision}_one PARTITION OF p_{revision} FOR VALUES IN (1);",
             f"CREATE TABLE p_{revision}_two PARTITION OF p_{revision} FOR VALUES IN (2);", AUTOCOMMIT,
             f"ALTER TABLE p_{revision} DETACH PARTITION p_{revision}_one CONCURRENTLY;", TRANSACTION, effect(revision, "upgrade", "row")],
            [f"DROP TABLE p_{revision}, p_{revision}_one;", effect(revision, "downgrade", "row")])


def batch(revision):
    def steps(direction):
        return [BATCH, f"UPDATE work SET {direction}s = {direction}s + 1 WHERE {{batch}};", BATCH,
                f"INSERT INTO copies SELECT id, '{revision}', '{direction}' FROM work WHERE {{batch}};", TRANSACTION,
                effect(revision, direction, "row")]
    return steps("upgrade"), steps("downgrade")


def call(revision):
    """Only a human can tell how it ended when it is interrupted."""
    def steps(direction):
        return [AUTOCOMMIT, f"CALL twice('{revision}', '{direction}');", effect(revision, direction, "alone"), TRANSACTION,
                effect(revision, direction, "row")]
    return steps("upgrade"), steps("downgrade")


KINDS = [plain, plain, index, plain, label, plain, batch, reindex, plain, detach, plain, call, plain]
PARTS_OF_A_CALL = ["call one", "call two"]


class History:
    def __init__(self, folder, kinds, rounds=2):
        kinds = list(kinds) * rounds
        self.revisions = [f"r{n:02}" for n in range(1, len(kinds) + 1)]
        self.kind_of = {revision: kind.__name__ for revision, kind in zip(self.revisions, kinds)}
        self.folder = pathlib.Path(folder) / "versions"
        self.folder.mkdir(parents=True)
        parent = ""
        for revision, kind in zip(self.revisions, kinds):
            up, down = kind(revision)
            text = f"-- {kind.__name__}\n--\n-- Revision: {revision}\n-- Revises: {parent}\n\n"
            text += "-- athanor:upgrade\n" + "\n".join(up) + "\n\n-- athanor:downgrade\n" + "\n".join(down) + "\n"
            (self.folder / f"{revision}.sql").write_text(text)
            parent = revision

    @property
    def head(self):
        return self.revisions[-1]

    def expected_parts(self, revision):
        return PARTS_OF_A_CALL + ["alone", "row"] if self.kind_of[revision] == "call" else ["row"]


class Database:
    """What the campaign asks a database, each time on the connection it is given."""

    def __init__(self, connection):
        self.cursor = connection.cursor()

    def rows(self, sql, *parameters):
        self.cursor.execute(sql, parameters)
        return self.cursor.fetchall()

    def value(self, sql, *parameters):
        return self.rows(sql, *parameters)[0][0]

    def has(self, relation):
        return self.value("SELECT to_regclass(%s) IS NOT NULL", relation)

    def heads(self):
        return [row[0] for row in self.rows("SELECT version_num FROM alembic_version ORDER BY 1")] if self.has("alembic_version") else []

    def applied(self, run_id=None):
        """(revision, direction) of every applied row of the ledger, oldest first."""
        if not self.has("athanor.history"):
            return []
        where = "" if run_id is None else " AND run_id = '" + run_id.replace("'", "''") + "'"
        return self.rows("SELECT revision, direction FROM athanor.history WHERE outcome = 'applied'" + where + " ORDER BY id")

    def half_applied(self):
        """(revision, direction) that has rows among the unfinished steps."""
        if not self.has("athanor.step"):
            return None
        found = self.rows("SELECT DISTINCT revision, direction FROM athanor.step")
        assert len(found) <= 1, f"several revisions are half-applied: {found}"
        return found[0] if found else None

    def effects(self):
        return {(revision, direction, part): count for revision, direction, part, count in
                self.rows("SELECT revision, direction, part, count(*) FROM effects GROUP BY 1, 2, 3")}


def walk_of(history, applied):
    """Where the ledger's rows lead, one by one; what they say wrongly."""
    at, problems = 0, []
    for revision, direction in applied:
        number = history.revisions.index(revision) + 1
        wanted, then = (at + 1, number) if direction == "upgrade" else (at, number - 1)
        if number != wanted:
            problems.append(f"the ledger has the {direction} of {revision} when the database was at {at or 'base'}")
        at = then
    return at, problems


def violations(history, database):
    """Everything that is wrong with the database as it is, half-way or at an end."""
    applied, half, effects = database.applied(), database.half_applied(), database.effects()
    at, problems = walk_of(history, applied)
    heads = database.heads()
    if heads != ([history.revisions[at - 1]] if at else []):
        problems.append(f"the version table says {heads}, the ledger {history.revisions[at - 1] if at else 'base'}")
    times = {}
    for key in applied:
        times[key] = times.get(key, 0) + 1
    for revision in history.revisions:
        for direction in ("upgrade", "downgrade"):
            once = times.get((revision, direction), 0)
            allowed = {once, once + 1} if half == (revision, direction) else {once}
            for part in history.expected_parts(revision):
                seen = effects.pop((revision, direction, part), 0)
                if seen not in allowed:
                    problems.append(f"{direction} of {revision} ({history.kind_of[revision]}) is recorded {once} times, "
                                    f"its effect '{part}' is there {seen} times")
    problems += [f"nobody expects the effect {key}" for key in effects]
    return problems + batch_violations(history, database, times, half)


def batch_violations(history, database, times, half):
    problems = []
    batches = [revision for revision in history.revisions if history.kind_of[revision] == "batch"]
    for direction in ("upgrade", "downgrade"):
        whole = sum(times.get((revision, direction), 0) for revision in batches)
        more = half is not None and half[0] in batches and half[1] == direction
        low, high = database.rows(f"SELECT min({direction}s), max({direction}s) FROM work")[0]
        if low < whole or high > whole + more:
            problems.append(f"batches: {whole} {direction}s are recorded, rows have seen {low} to {high}")
        for revision in batches:
            once = times.get((revision, direction), 0)
            half_here = half == (revision, direction)
            counts = {count for count, in database.rows(
                "SELECT count(c.id) FROM work w LEFT JOIN copies c ON c.id = w.id AND c.revision = %s AND c.direction = %s GROUP BY w.id",
                revision, direction)}
            if not counts <= ({once, once + 1} if half_here else {once}):
                problems.append(f"batches: {direction} of {revision} is recorded {once} times, rows were copied {sorted(counts)} times")
    return problems


def script_violations(history, database):
    """Of an offline script that is one transaction and writes no ledger: every revision or none."""
    times = {direction: {count for count, in database.rows(
        "SELECT count(e.revision) FROM unnest(%s) r LEFT JOIN effects e ON e.revision = r AND e.direction = %s GROUP BY r",
        history.revisions, direction)} for direction in ("upgrade", "downgrade")}
    at_head = database.heads() == [history.head]
    if any(len(counts) != 1 for counts in times.values()):
        return [f"one transaction ran some revisions and not others: {times}"]
    ahead = times["upgrade"].pop() - times["downgrade"].pop()
    if ahead != (1 if at_head else 0) or (not at_head and database.heads()):
        return [f"the version table says {database.heads()}, and there were {ahead} more upgrades than downgrades"]
    return []


def end_violations(history, database):
    """What must hold besides at an end of the history, where nothing may be open."""
    problems = []
    if database.half_applied():
        problems.append(f"half-applied at the end: {database.half_applied()}")
    invalid = database.rows("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
    if invalid:
        problems.append(f"INVALID indexes at the end: {invalid}")
    leftovers = database.rows("SELECT relname FROM pg_class WHERE relname ~ '_cc(new|old)[0-9]*$'")
    if leftovers:
        problems.append(f"leftovers of REINDEX at the end: {leftovers}")
    pending = database.rows("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhdetachpending")
    if pending:
        problems.append(f"half-detached partitions at the end: {pending}")
    at_head = database.heads() == [history.head]
    expected = {"index": 2, "label": 1, "plain": 1, "detach": 3}
    for revision in history.revisions:
        kind = history.kind_of[revision]
        found = {
            "index": "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE c.relname IN ('a_{0}', 'b_{0}')",
            "label": "SELECT count(*) FROM (SELECT 1 FROM pg_enum e JOIN pg_type t ON t.oid = enumtypid WHERE typname = 'e_{0}'"
                     " HAVING string_agg(enumlabel, ' ' ORDER BY enumsortorder) = 'one two three') l",
            "plain": "SELECT count(*) FROM pg_class WHERE relname = 't_{0}'",
            "detach": "SELECT count(*) FROM pg_class WHERE relname IN ('p_{0}', 'p_{0}_one', 'p_{0}_two')"
                      " AND (relname <> 'p_{0}_one' OR NOT relispartition)",
        }.get(kind)
        if found:
            count = database.value(found.format(revision))
            if count != (expected[kind] if at_head else 0):
                problems.append(f"{revision} ({kind}): {count} of its objects at {'the head' if at_head else 'base'}")
    return problems
