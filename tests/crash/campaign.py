#!/usr/bin/env python3
"""Kills the command line, its sessions, its server and its network at random moments, and asks after each time whether every effect has
happened exactly once.

    make test-crash                                        # 200 SIGKILL, 60 signals, 60 sessions, 60 server crashes, 100 network faults
    make test-crash SEED=7 KILLS=20 SIGNALS=0 SESSIONS=0 CRASHES=0 FAULTS=0 SCRIPTS=0

The seed chooses every fault and its moment; how far a run has come by then depends on the machine, so a seed replays the choices and
not the interleaving. The server runs with fsync on. Exits with 1 when anything was lost, doubled or told wrongly.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import psycopg2

import history as revisions
from proxy import MODES, Fault, Proxy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOCK_CLASS = 1635018866
PATIENCE = 60  # seconds until a run that was hit must have ended
MANY = 20  # violations, after which a campaign ends
STOP_PATIENCE = 20  # and one that was asked to stop
# A statement of the run that is executing; a fault aims at one of these every other time.
MOMENTS = ["CREATE INDEX", "CREATE UNIQUE INDEX", "DROP INDEX", "REINDEX", "ALTER TYPE", "DETACH", "UPDATE work", "INSERT INTO copies", "CALL",
           "athanor.step", "COMMIT"]


class Server:
    """A throwaway PostgreSQL of the campaign's own."""

    def __init__(self, folder):
        self.folder = str(folder / "server")
        self._control("start")
        self.url = (folder / "server" / "url").read_text().strip()
        self.port = int((folder / "server" / "port").read_text())

    def _control(self, action):
        subprocess.run([ROOT / "tests/support/throwaway-postgres", action, self.folder], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "ATHANOR_FSYNC": "on"})

    def crash(self):
        self._control("crash")

    def resume(self):
        self._control("resume")

    def stop(self):
        self._control("stop")

    def url_of(self, database, port=None):
        return self.url.rsplit("/", 1)[0].replace(str(self.port), str(port or self.port)) + "/" + database

    def connect(self, database):
        """After a crash of a session the server refuses connections until it has recovered."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = psycopg2.connect(self.url_of(database), application_name="campaign")
                connection.autocommit = True
                return connection
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


class Application(threading.Thread):
    """Open transactions that CONCURRENTLY has to wait for, as an application has them."""

    def __init__(self, server, database, chance):
        super().__init__(daemon=True)
        self.server, self.database, self.chance, self.ended = server, database, chance, threading.Event()

    def run(self):
        while not self.ended.is_set():
            try:
                connection = self.server.connect(self.database)
                while not self.ended.is_set():
                    with connection.cursor() as cursor:
                        cursor.execute("BEGIN")
                        cursor.execute("UPDATE work SET touched = touched + 1 WHERE id = %s", [self.chance.randint(1, revisions.ROWS)])
                        time.sleep(self.chance.uniform(0.005, 0.03))
                        cursor.execute("COMMIT")
                    time.sleep(self.chance.uniform(0.005, 0.03))
            except psycopg2.Error:
                time.sleep(0.05)


class Run:
    """One run of the command line."""

    def __init__(self, athanor, url, folder, verb, target):
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [athanor, verb, target, "--migrations", folder, "--json", "-x", "stop_grace=1s", "-x", "lock_wait=40s"],
            env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ended_by_force = False

    def running(self):
        return self.process.poll() is None

    def end(self):
        """Its exit code and report; None for a report that was cut off with the process."""
        try:
            out, self.err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.ended_by_force = True
            self.process.kill()
            out, self.err = self.process.communicate()
        self.seconds = time.monotonic() - self.began
        return self.process.returncode, json.loads(out) if out.strip() and self.process.returncode >= 0 else None


class Campaign:
    def __init__(self, options, server, folder):
        self.options, self.server, self.folder = options, server, folder
        self.counts = collections.Counter()
        self.ends = collections.Counter()
        self.problems = []

    # ---- one kind of fault, on a database of its own

    def wage(self, name, wanted, strike):
        if not wanted:
            return
        chance = random.Random(f"{self.options.seed} {name}")
        database, kind = name, ScriptScene if name == "scripts" else Scene
        history = revisions.History(self.folder / database, kind.kinds)
        admin = self.server.connect("postgres")
        admin.cursor().execute(f"CREATE DATABASE {database}")
        admin.close()
        connection = self.server.connect(database)
        connection.cursor().execute(revisions.SETUP)
        connection.close()
        application = Application(self.server, database, random.Random(f"{self.options.seed} {name} application"))
        application.start()
        proxy = Proxy(self.server.port) if name == "network" else None
        url = self.server.url_of(database, proxy.port if proxy else None)
        scene = kind(self, name, history, chance, url, proxy)
        began, landed = time.monotonic(), 0
        while landed < wanted and len(self.problems) < MANY and time.monotonic() - began < self.options.seconds:
            landed += scene.once(strike)
        self.counts[name] = landed
        scene.finish()
        application.ended.set()
        application.join()
        print(f"{name}: {landed} in {time.monotonic() - began:.0f} s; ends {dict(sorted(scene.ends.items()))}; "
              f"{scene.ends_reached} times at an end, {scene.asked} times a human was asked", flush=True)

    def blame(self, name, number, what, run=None):
        text = f"VIOLATION in {name} {number} (seed {self.options.seed}): {what}"
        if run is not None:
            text += "\n    " + "\n    ".join(run.err.strip().splitlines()[-6:])
        self.problems.append(text)
        print(text, flush=True)


class Scene:
    """A database that goes up and down its history while it is hit."""

    kinds = revisions.KINDS
    violations = staticmethod(revisions.violations)

    def __init__(self, campaign, name, history, chance, url, proxy):
        self.campaign, self.name, self.database, self.history = campaign, name, name, history
        self.chance, self.url, self.proxy = chance, url, proxy
        self.server, self.athanor = campaign.server, campaign.options.athanor
        self.upward, self.number, self.asked, self.ends_reached = True, 0, 0, 0
        self.ends = collections.Counter()
        self.allowed = set()

    def blame(self, what, run=None):
        self.campaign.blame(self.name, self.number, what + (f"; the fault was: {self.proxy.fault}" if self.proxy else ""), run)

    def once(self, strike):
        """One run with one fault; 1 when the fault came while it ran."""
        self.number += 1
        if self.proxy:
            self.proxy.arm(Fault(self.chance.choice(MODES), self.chance))
        run = self.start(self.url)
        landed = strike(self, run)
        self.look(run)
        return landed

    def start(self, url):
        verb, target = ("upgrade", "heads") if self.upward else ("downgrade", "base")
        self.allowed = {0}
        return Run(self.athanor, url, str(self.history.folder), verb, target)

    def finish(self):
        """Without faults to the end, whatever is open."""
        for _ in range(20):
            self.number += 1
            run = self.start(self.server.url_of(self.database))
            if self.look(run) == 0:
                return
        self.blame("does not come to an end without faults", run)

    # ---- what must hold after a run

    def look(self, run):
        code, report = run.end()
        self.ends[code] += 1
        if run.ended_by_force:
            self.blame(f"had not ended after {run.seconds:.0f} s", run)
        connection = self.server.connect(self.database)
        try:
            database = revisions.Database(connection)
            self.wait_for_lock(database)
            found = self.violations(self.history, database)
            at_end = database.heads() == ([self.history.head] if self.upward else []) and not database.half_applied()
            if code not in self.allowed | {10} and not run.ended_by_force:
                self.blame(f"ended with {code}, allowed are {sorted(self.allowed)} and 10", run)
            if report is not None:
                found += self.lies(code, report, database, at_end)
            for problem in found:
                self.blame(problem, run)
            if code == 10:
                self.answer(database, run)
            if at_end:
                for problem in revisions.end_violations(self.history, database):
                    self.blame(problem, run)
                self.ends_reached += 1
                self.upward = not self.upward
        finally:
            connection.close()
        return code

    def wait_for_lock(self, database):
        """A session whose client is gone ends by itself."""
        deadline = time.monotonic() + 30
        while database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND database ="
                             " (SELECT oid FROM pg_database WHERE datname = current_database())", LOCK_CLASS):
            if time.monotonic() > deadline:
                self.blame("the migration lock is still held 30 s later")
                return
            time.sleep(0.01)

    def lies(self, code, report, database, at_end):
        problems = []
        if report["success"] != (code == 0):
            problems.append(f"success is {report['success']} and the exit code {code}")
        if code == 0 and not at_end:
            problems.append(f"success, but the database is at {database.heads()}")
        told = report["current_revision"]
        if told is not None and sorted([told] if isinstance(told, str) else told) != database.heads():
            problems.append(f"current_revision is {told}, the database is at {database.heads()}")
        if code == 0 and told is None:
            problems.append("success, but current_revision is unknown")
        if "run_id" in report:
            steps = [(step["revision"], step["direction"]) for step in report["steps"]]
            written = database.applied(report["run_id"])
            unknown = (report.get("error") or {}).get("code") == "commit-outcome-unknown"
            if steps != written and not (unknown and written[:len(steps)] == steps):
                problems.append(f"the report lists {steps}, the ledger has {written} of this run")
        return problems

    def answer(self, database, run):
        """As the human who is asked how a CALL ended: looks at its effects, and says so."""
        revision, direction = database.half_applied() or (None, None)
        if revision is None or self.history.kind_of[revision] != "call":
            self.blame("a human is asked about what the catalog can tell", run)
            return
        self.asked += 1
        once = database.applied().count((revision, direction))
        statement = database.value("SELECT max(statement) FROM athanor.step WHERE state = 'intent'")
        parts = revisions.PARTS_OF_A_CALL if statement == 0 else ["alone"]
        effects = database.effects()
        done = [effects.get((revision, direction, part), 0) > once for part in parts]
        if any(done) and not all(done):
            database.cursor.execute("DELETE FROM effects WHERE ctid = (SELECT ctid FROM effects WHERE revision = %s AND direction = %s"
                                    " AND part = %s LIMIT 1)", [revision, direction, parts[done.index(True)]])
        word = "done" if all(done) else "redo"
        answer = subprocess.run([self.athanor, "repair", "--step", word, "--migrations", self.history.folder],
                                env={**os.environ, "DATABASE_URL": self.server.url_of(self.database)}, capture_output=True, text=True)
        if answer.returncode != 0:
            self.blame(f"repair --step {word}: {answer.stderr.strip()}")

    # ---- moments

    def wait_for_a_moment(self, run, longest=1.5):
        """Until a statement of the run that was drawn is executing, or for a time. False when the run ended before that."""
        if self.chance.random() < 0.5:
            time.sleep(self.chance.uniform(0.0, min(longest, 0.7)))
            return run.running()
        moment, then = self.chance.choice(MOMENTS), self.chance.uniform(0.0, 0.03)
        deadline = time.monotonic() + longest
        connection = self.server.connect(self.database)
        database = revisions.Database(connection)
        while run.running() and time.monotonic() < deadline:
            if database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'athanor' AND state = 'active'"
                              " AND datname = current_database() AND position(%s in query) > 0", moment):
                break
            time.sleep(0.002)
        connection.close()
        time.sleep(then)
        return run.running()


# ---- the faults

def kill(scene, run):
    scene.allowed |= {-signal.SIGKILL}
    hit = scene.wait_for_a_moment(run)
    run.process.kill()
    return hit


def signals(scene, run):
    first, twice = scene.chance.choice([signal.SIGTERM, signal.SIGINT]), scene.chance.random() < 0.5
    pause = scene.chance.uniform(0, 0.2)
    scene.allowed |= {11, -first}  # before it listens for signals it ends as any program does
    hit = scene.wait_for_a_moment(run)
    run.process.send_signal(first)
    if twice:
        time.sleep(pause)
        if run.running():
            run.process.send_signal(first)
    return hit


def session(scene, run):
    """Of the run, by an administrator or by a crash of its process, after which the whole server recovers."""
    by_signal = scene.chance.random() < 0.5
    scene.allowed |= {7}
    if not scene.wait_for_a_moment(run):
        return False
    connection = scene.server.connect(scene.database)
    database = revisions.Database(connection)
    hit = False
    try:
        for pid, in database.rows("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'athanor%%' AND datname = current_database()"):
            if by_signal:
                os.kill(pid, signal.SIGKILL)
            else:
                database.rows("SELECT pg_terminate_backend(%s)", pid)
            hit = True
    except (psycopg2.Error, ProcessLookupError):
        pass
    connection.close()
    return hit


def crash(scene, run):
    scene.allowed |= {7}
    pause = scene.chance.choice([0, 0, 0.5])
    hit = scene.wait_for_a_moment(run)
    scene.server.crash()
    time.sleep(pause)
    scene.server.resume()
    return hit


def network(scene, run):
    """The proxy was armed before the run began."""
    fault = scene.proxy.fault
    if fault.mode != "delay":
        scene.allowed |= {7}
    if fault.mode != "hole":
        return wait_for(run, PATIENCE) and fault.landed.is_set()
    scene.allowed |= {11}
    while run.running() and not fault.landed.wait(0.02):
        pass
    time.sleep(0.3)
    run.process.send_signal(signal.SIGTERM)
    if not wait_for(run, STOP_PATIENCE):
        scene.blame(f"still runs {STOP_PATIENCE} s after SIGTERM, on a connection that went silent")
    return fault.landed.is_set()


def wait_for(run, seconds):
    try:
        run.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


# ---- the offline script with transaction_per_migration: false, which applies as a whole or not at all

class Script:
    """psql in the place of the command line, with what `athanor upgrade --sql` printed."""

    def __init__(self, scene, url, verb, target):
        folder = scene.history.folder.parent
        (folder / "athanor.yaml").write_text("transaction_per_migration: false\nversion_locations: [versions]\n")
        rendered = subprocess.run([scene.athanor, verb, target, "--sql"], cwd=folder, check=True, capture_output=True, text=True)
        (folder / "script.sql").write_text(rendered.stdout)
        self.began, self.ended_by_force = time.monotonic(), False
        self.process = subprocess.Popen(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", folder / "script.sql", url],
                                        env={**os.environ, "PGAPPNAME": "athanor"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    running = Run.running

    def end(self):
        _, self.err = self.process.communicate()
        self.seconds = time.monotonic() - self.began
        return self.process.returncode, None


class ScriptScene(Scene):
    kinds = [revisions.plain, revisions.plain, revisions.label_at_once, revisions.plain]
    violations = staticmethod(revisions.script_violations)

    def start(self, url):
        self.allowed = {0}
        if self.upward:  # as in Alembic, a script from base makes the version table
            connection = self.server.connect(self.database)
            connection.cursor().execute("DROP TABLE IF EXISTS alembic_version")
            connection.close()
        verb, target = ("upgrade", "head") if self.upward else ("downgrade", f"{self.history.head}:base")
        return Script(self, url, verb, target)


def script(scene, run):
    if scene.chance.random() < 0.5:
        return session(scene, run) and scene.allowed.add(2) is None
    scene.allowed |= {-signal.SIGKILL}
    time.sleep(scene.chance.uniform(0, 0.25))
    hit = run.running()
    run.process.kill()
    return hit


KINDS_OF_FAULT = {"kills": kill, "signals": signals, "sessions": session, "crashes": crash, "network": network, "scripts": script}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("athanor", type=os.path.abspath, help="the program to kill")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randint(1, 10**6))
    for name, count in [("kills", 200), ("signals", 60), ("sessions", 60), ("crashes", 60), ("network", 100), ("scripts", 20)]:
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--seconds", type=float, default=3600, help="at most this long for each kind of fault")
    return parser.parse_args()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is stopped all the same
    print(f"seed {options.seed} (replay: make test-crash SEED={options.seed})", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="athanor-crash-"))
    server = Server(folder)
    campaign = Campaign(options, server, folder)
    try:
        for name, strike in KINDS_OF_FAULT.items():
            campaign.wage(name, getattr(options, name), strike)
    finally:
        server.stop()
        shutil.rmtree(folder)
    print(f"{sum(campaign.counts.values())} faults, {len(campaign.problems)} violations", flush=True)
    return 1 if campaign.problems else 0


if __name__ == "__main__":
    sys.exit(main())
