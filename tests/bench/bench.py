#!/usr/bin/env python3
"""Measures Athanor against a libpq reference and against the peers this machine has.

  W1 1,000 revisions from nothing, each in its own transaction     W4 the same 1,000 down again
  W2 nothing to do, 1,000 revisions on disk                        W3 10,000 on disk: nothing to do, current, heads, history
  W6 100 databases x 20 revisions, 8 at a time

and its operator on a throwaway Kubernetes API:

  K1 from the change of one of 100 resources to the first statement
  K2 10,000 resources at their target: cold start, memory, processor, writes    K4 the same with controller-runtime beside it
  K3 1,000 resources one revision up at once, against the command line

Runs of different tools are interleaved and medians are printed, with ratios against the reference of the same run: absolute
times say as much about the machine as about the tools. Every run's end state is checked in the database. Tables appear as soon
as a workload is finished, and whatever ends the run early (a time limit, Ctrl-C) still prints what was measured. Peers are
looked for in $PEERS_HOME/bin, $PEERS_HOME/venv/bin and on PATH; --list-peers says where they come from. docs/benchmarks.md
explains."""
import argparse
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

import gen
from cluster_bench import ClusterBench
from measure import Quiet, Server, measure, prefer
from report import Report
from tools import athanor_and_reference, peers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLEET, FLEET_REVISIONS, AT_A_TIME = 100, 20, 8
WORKLOADS = ("W1", "W4", "W2", "W3", "W6", "K1", "K3", "K2", "K4")


class Bench:
    def __init__(self, options):
        self.options = options
        self.report = Report(options.json, options.markdown)
        self.spent = {}  # (workload, operation, tool) -> seconds, so that slow tools do not hold up the rest for ever
        self.failed = {}  # (workload, tool) -> why; a peer that fails is measured no more in that workload
        self.folder = tempfile.mkdtemp(prefix="athanor-bench.")
        os.chmod(self.folder, 0o755)
        found, absent = peers()
        wanted = options.tools.split(",") if options.tools else None
        self.tools = [t for t in athanor_and_reference(options.build) + found if wanted is None or t.name in wanted]
        for tool in absent:
            if wanted is None or tool.name in wanted:
                print(f"skipped: {tool.name} is not here ({tool.how_to_get})")
        self.runner = os.path.join(options.build, "bench", "runner")
        self.quiet = Quiet(options.patience)
        self.server = Server(ROOT)

    def close(self):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def data(self, tool, count, name="real", empty=False):
        """The folder of `count` revisions in the tool's format, written at first use."""
        folder = os.path.join(self.folder, f"{name}{count}", tool.format)
        if not os.path.isdir(folder):
            items = gen.revisions(count)
            gen.write(folder, tool.format, [(n, gen.Nothing()) for n, _ in items] if empty else items)
        return folder

    def objects(self, database):
        row = self.server.sql("SELECT count(*) FILTER (WHERE relkind = 'r' AND relname ~ '^t[0-9]{5}$'),"
                              " (SELECT count(*) FROM pg_attribute WHERE attname ~ '^c[0-9]{5}$' AND NOT attisdropped"
                              " AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r')),"
                              " count(*) FILTER (WHERE relkind = 'i' AND relname ~ '^ix[0-9]{5}$') FROM pg_class;", database)
        return tuple(map(int, row[0]))

    def call(self, tool, operation, database, folder):
        if tool.name == "reference":
            url = self.server.conninfo(database)
            return [tool.program, operation, url, folder], {}
        url = self.server.database(database)
        if tool.name == "alembic":
            url = url.replace("postgresql://", "postgresql+psycopg2://")
        return tool.call(operation, url, folder)

    def fail(self, workload, tool, reason):
        """What is wrong with our own programs ends the run; a peer that fails is left out of the rest of the workload."""
        if tool.startswith(("reference", "athanor")):
            raise SystemExit(f"{workload} {tool}: {reason}")
        self.failed[workload, tool] = reason
        print(f"FAILED: {workload} {tool}: {reason}", flush=True)

    def run(self, workload, operation, tool, call, prepare=None, check=None):
        """Measures once; a run that others disturbed is repeated, twice at most, and the least disturbed is kept. False when
        the tool failed or left the wrong end state."""
        best = None
        for _ in range(3):
            if prepare:
                prepare()
            result = measure(self.server, self.runner, *call, self.quiet)
            if result.code != 0 or (check and not check()):
                self.fail(workload, tool, f"{operation}: exit code {result.code} or wrong end state\n{result.output}")
                return False
            best = result if best is None or result.foreign < best.foreign else best
            if not result.noisy or result.wall > 15 or operation == "down":
                break
        self.report.add(workload, operation, tool, best)
        self.spent[workload, operation, tool] = self.spent.get((workload, operation, tool), 0) + best.wall
        if self.options.verbose:
            print(f"  {workload} {operation:8} {tool:16} {best.wall:8.3f} s  cpu {best.cpu:7.3f}  {best.rss:6.1f} MiB"
                  f"{'  disturbed' if best.noisy else ''}", flush=True)
        return True

    def wanted(self, workload, operation, tool):
        within = self.spent.get((workload, operation, tool), 0) < self.options.budget
        return within and (workload, tool) not in self.failed

    def rounds(self, workload, operations, tools, reps):
        """(tool, operation), tools in a new order every round. Who has used the budget of an operation does it no more."""
        for number in range(reps):
            shuffled = list(tools)
            random.Random(number).shuffle(shuffled)
            for tool in shuffled:
                for operation in operations:
                    if self.wanted(workload, operation, tool if isinstance(tool, str) else tool.name):
                        yield tool, operation

    def up_and_down(self, down):
        count = self.options.revisions
        expected = gen.expected_objects(count)
        for tool, _ in self.rounds("W1", ["up"], [t for t in self.tools if "up" in t.operations], self.options.reps):
            folder = self.data(tool, count)
            done = self.run("W1", "up", tool.name, self.call(tool, "up", "w1", folder), lambda: self.server.fresh("w1"),
                            lambda: self.objects("w1") == expected)
            if done and down and "down" in tool.operations and self.wanted("W4", "down", tool.name):
                self.server.sql("CHECKPOINT;")
                self.run("W4", "down", tool.name, self.call(tool, "down", "w1", folder), None,
                         lambda: self.objects("w1") == (0, 0, 0))

    def at_head(self, workload, count):
        """A database at head per tool, and its folder. Large histories are made from empty bodies where the tool cannot tell."""
        places = {}
        for tool in self.tools:
            if "up" not in tool.operations:
                continue
            database, real = f"head{count}_{tool.name}", self.data(tool, count)
            self.server.fresh(database)
            if tool.name == "reference":  # only reads: a version table is all it needs, and the folder that Athanor reads
                self.server.sql("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
                                f"INSERT INTO alembic_version VALUES ('{gen.revision_id(count)}');", database)
                ours = next(t for t in athanor_and_reference(self.options.build) if t.name == "athanor")
                places[tool.name] = (database, os.path.join(self.data(ours, count), "versions"))
                continue
            empty = count > 1000 and not tool.checks_bodies
            source = self.data(tool, count, "empty", True) if empty else real
            done = measure(self.server, self.runner, *self.call(tool, "up", database, source))
            if self.options.verbose:
                print(f"  {workload} at head: {tool.name:16} {done.wall:8.3f} s", flush=True)
            if done.code != 0:
                self.fail(workload, tool.name, f"cannot be brought to head of {count}:\n{done.output}")
                continue
            places[tool.name] = (database, real)
        return places

    def nothing_to_do(self, workload, count, operations):
        places = self.at_head(workload, count)
        self.server.sql("VACUUM; CHECKPOINT;")
        reps = 4 * self.options.reps  # short runs
        for tool, operation in self.rounds(workload, operations, [t for t in self.tools if t.name in places], reps):
            database, folder = places[tool.name]
            if tool.name == "reference":
                call = ([tool.program, "noop", self.server.conninfo(database), folder], {}) if operation == "noop" else None
            else:
                call = self.call(tool, "up" if operation == "noop" else operation, database, folder)
            if call:
                self.run(workload, operation, tool.name, call)
        self.check_heads(workload, count, places)

    def check_heads(self, workload, count, places):
        """Nothing to do means that nothing was done: every database still has what the preparation made."""
        for tool in self.tools:
            if tool.name not in places or tool.name == "reference" or (workload, tool.name) in self.failed:
                continue
            empty = count > 1000 and not tool.checks_bodies
            found, expected = self.objects(places[tool.name][0]), (0, 0, 0) if empty else gen.expected_objects(count)
            if found != expected:
                self.fail(workload, tool.name, f"the database holds {found} instead of {expected}")

    def fleet_calls(self):
        """name -> (command, environment) that migrates the whole fleet."""
        calls = {}
        for tool in self.tools:
            if "up" not in tool.operations:
                continue
            folder = self.data(tool, FLEET_REVISIONS)
            if tool.name == "reference":
                calls["reference"] = ([tool.program, "fleet", self.server.conninfo("fleet%d"), folder, str(FLEET)], {})
                continue
            command, environment = self.call(tool, "up", "fleet@@", folder)
            # One process per database, eight at a time, as a deployment script would.
            script = f'seq 0 {FLEET - 1} | xargs -P{AT_A_TIME} -I@@ env DATABASE_URL="$0" "$@"'
            calls[tool.name] = (["sh", "-c", script, environment["DATABASE_URL"], *command], {})
            if tool.name == "athanor":
                calls["athanor-operator"] = (self.operator_call(folder), {})
        return calls

    def operator_call(self, folder):
        manifests = os.path.join(self.folder, "manifests")
        os.makedirs(manifests, exist_ok=True)
        for i in range(FLEET):
            with open(os.path.join(manifests, f"fleet{i}.yaml"), "w", encoding="utf-8") as file:
                json.dump({"apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration",
                           "metadata": {"name": f"fleet{i}", "namespace": "bench"},
                           "spec": {"database": {"url": self.server.database(f"fleet{i}")},
                                    "source": {"path": os.path.join(folder, "versions")}, "targetRevision": "head"}}, file)
        return [os.path.join(self.options.build, "bin", "athanor-operator"), "--manifests", manifests, "--state",
                os.path.join(self.folder, "state"), "--source-root", folder, "--workers", str(AT_A_TIME), "--once"]

    def fleet(self):
        calls = self.fleet_calls()
        names = [f"fleet{i}" for i in range(FLEET)]
        expected = gen.expected_objects(FLEET_REVISIONS)

        def prepare():
            shutil.rmtree(os.path.join(self.folder, "state"), ignore_errors=True)
            self.server.fresh(*names)

        for name, _ in self.rounds("W6", ["fleet"], list(calls), self.options.reps):
            self.run("W6", "fleet", name, calls[name], prepare, lambda: all(self.objects(n) == expected for n in names))

    def workload(self, name):
        """Runs one workload (W1 stands for W1 and W4, which are one series) and shows its tables."""
        chosen = self.options.workloads.split(",")
        if name == "W1":
            self.up_and_down("W4" in chosen)
        elif name == "W2":
            self.nothing_to_do("W2", self.options.revisions, ["noop"])
        elif name == "W3":
            self.nothing_to_do("W3", self.options.many, ["noop", "current", "heads", "history"])
        elif name == "W6":
            self.fleet()
        print("\n".join(self.report.tables([name, "W4"] if name == "W1" else [name])), flush=True)


def measure_tools(options, workloads):
    """True when a peer failed."""
    bench = Bench(options)
    try:
        for name in ("W1", "W2", "W3", "W6"):
            if name in workloads or (name == "W1" and "W4" in workloads):
                bench.workload(name)
    finally:
        bench.close()
        print("\n## Summary\n" + "\n".join(bench.report.tables()), flush=True)
        for (workload, tool), reason in bench.failed.items():
            print(f"\nFAILED: {workload} {tool}: {reason.splitlines()[0]}")
    return bool(bench.failed)


def measure_operator(options, workloads):
    bench = ClusterBench(ROOT, options, Quiet(options.patience))
    try:
        for name in ("K1", "K3", "K2"):
            if name in workloads or (name == "K2" and "K4" in workloads):
                bench.workload(name)
    finally:
        bench.close()
    if options.markdown:
        with open(options.markdown, "a", encoding="utf-8") as file:
            file.write("\n".join(bench.lines) + "\n")


def prepare(options, workloads):
    """Ends the run when this machine lacks something for it, before anything is measured. What is built for it, once, is built here."""
    needs = ["pgrep=procps", "xargs=findutils", "openssl"]
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        needs.append("initdb=postgresql")
    if options.nice < 0:
        needs.insert(0, "root")
    steps = [[os.path.join(ROOT, "tests", "support", "require"), "make bench", *needs]]
    if any(name.startswith("K") for name in workloads):
        steps.append([os.path.join(ROOT, "tests", "cluster", "programs")])
    if "K4" in workloads:
        steps.append([os.path.join(ROOT, "tests", "bench", "controller-runtime", "build")])
    for step in steps:
        if subprocess.run(step, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            sys.exit(1)  # it has said why
    for name in filter(None, (options.json, options.markdown)):
        open(name, "a", encoding="utf-8").close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="build folder (default: build)")
    parser.add_argument("-w", "--workloads", default=",".join(WORKLOADS), help="which, separated by commas")
    parser.add_argument("-t", "--tools", default="", help="which: reference, athanor, goose, … (default: all that are here)")
    parser.add_argument("-r", "--reps", type=int, default=5, help="runs of each tool (default: 5; four times as many where a run is short)")
    parser.add_argument("--budget", type=float, default=20, help="seconds per tool and operation after which it is not run again")
    parser.add_argument("--revisions", type=int, default=1000, help="revisions in W1, W2 and W4")
    parser.add_argument("--many", type=int, default=10000, help="revisions in W3")
    parser.add_argument("--patience", type=float, default=3, help="seconds to wait for a quiet machine before each run")
    parser.add_argument("--samples", type=int, default=300, help="changes measured in K1, rounded up to hundreds")
    parser.add_argument("--rest", type=float, default=300, help="seconds that controllers are watched at rest in K2")
    parser.add_argument("--nice", type=int, default=0, help="run everything that is measured at this priority, -15 for example: for a "
                        "machine that is shared (root)")
    parser.add_argument("--json", help="append every single measurement to this file, as soon as it is made")
    parser.add_argument("--markdown", help="write the tables to this file, again after every workload")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every measurement as it is made")
    parser.add_argument("--prepare", action="store_true", help="check that everything is here, build the test cluster, and measure nothing")
    parser.add_argument("--list-peers", action="store_true", help="print the peers and how to get them, and do nothing")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    if options.list_peers:
        here, absent = peers()
        for tool in here + absent:
            print(f"{tool.name:10} {tool.program or 'not here':40} {tool.how_to_get}")
        return 0
    workloads = options.workloads.split(",")
    unknown = set(workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    prepare(options, workloads)
    if options.prepare:
        return 0
    # SIGTERM and Ctrl-C end the run as an error does: the server is stopped, and what was measured is printed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench.py: stopped by SIGTERM"))
    signal.signal(signal.SIGINT, lambda *_: sys.exit("bench.py: interrupted"))
    if options.nice:
        os.nice(options.nice)  # children inherit it
        prefer(os.getpid(), options.nice)
    failed = measure_tools(options, workloads) if any(name.startswith("W") for name in workloads) else False
    if any(name.startswith("K") for name in workloads):
        measure_operator(options, workloads)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
