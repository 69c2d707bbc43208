"""The operator on a cluster: how soon, how many, how cheap. Workloads K1 to K4 of bench.py.

100 databases of one server, 100 schemas in each. A schema is a tenant, and a tenant is a resource: 10,000 of them. Credentials
come from Secrets, passwords are checked (scram-sha-256), statuses and events are written, a leader is elected: everything is as
the chart installs it, with the chart's defaults, but for what a workload says."""
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time

import controllers
import gen
from kube import MERGE, Cluster, Watcher, is_ready, resource
from measure import Server, prefer

DATABASES, TENANTS, AT_A_TIME = 100, 100, 8
AT_REST = 2  # revisions that each of the 10,000 stands at
GROUPS = 10  # namespaces of them
BUMPED = 10  # tenants of each database in K3
RESYNC = 300
CROWD_FILES = "/api/v1/namespaces/crowd/configmaps"


def database(number):
    return f"fleet{number:03d}"


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class ClusterBench:
    def __init__(self, root, options, quiet):
        self.root, self.options, self.quiet = root, options, quiet
        self.folder = tempfile.mkdtemp(prefix="athanor-bench.")
        os.chmod(self.folder, 0o755)
        self.lines = []  # of Markdown
        self.cluster = None
        self.server = Server(root, trust=False)
        self.user, self.password, self.host, self.port = re.match(r"\w+://(.*?):(.*?)@(.*?):(\d+)/", self.server.url).groups()
        try:
            self.cluster = Cluster(root)
            for pid in (self.server.pid, self.cluster.pid) if options.nice else ():
                prefer(pid, options.nice)
            self.make_databases()
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.cluster:
            self.cluster.stop()
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def note(self, workload, **figures):
        """A measurement as it is made: to the file of --json, and shown."""
        if self.options.json:
            with open(self.options.json, "a", encoding="utf-8") as file:
                file.write(json.dumps({"workload": workload, **figures}) + "\n")
        if self.options.verbose:
            print(f"  {workload} " + "  ".join(f"{k} {round(v, 3) if isinstance(v, float) else v}" for k, v in figures.items()), flush=True)

    # ------------------------------------------------------------ databases and declarations

    def athanor(self, name, folder, schema):
        """The command line that brings one tenant to the head of a folder, and its environment."""
        command = [os.path.join(self.options.build, "bin", "athanor"), "-c", os.path.join(self.folder, folder, "athanor.yaml"), "-x",
                   f"version_table_schema={schema}", "-x", f"search_path={schema}, public", "-q", "upgrade", "head"]
        return command, {"PATH": os.environ["PATH"], "HOME": self.folder, "DATABASE_URL": self.server.database(name)}

    def make_databases(self):
        """One database with every tenant at rest, copied a hundred times: ten thousand migrations would be another benchmark."""
        gen.write(os.path.join(self.folder, "at-rest"), "athanor", gen.revisions(AT_REST))
        self.server.fresh("model")
        schemas = [f"tenant{n:02d}" for n in range(TENANTS)] + [f"bumped{n}" for n in range(BUMPED)] + ["prompt"]
        self.server.sql("".join(f"CREATE SCHEMA {name};" for name in schemas), "model")
        if {"K2", "K4"} & set(self.options.workloads.split(",")):
            for schema in schemas[:TENANTS]:
                command, environment = self.athanor("model", "at-rest", schema)
                subprocess.run(command, env=environment, check=True)
        self.server.sql("CHECKPOINT;" + "".join(f"CREATE DATABASE {database(n)} TEMPLATE model;" for n in range(DATABASES)) + "CHECKPOINT;")

    def namespace(self, name):
        self.cluster.namespace(name)
        self.cluster.send("POST", f"/api/v1/namespaces/{name}/secrets",
                          {"metadata": {"name": "server"}, "stringData": {"password": self.password}})

    def declaration(self, name, number, schema, source, **spec):
        place = {"host": self.host, "port": int(self.port), "name": database(number), "user": self.user, "schema": schema,
                 "passwordFrom": {"secretKeyRef": {"name": "server", "key": "password"}}}
        return {"apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration",
                "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "bench"}},
                "spec": {"database": place, "source": source, "targetRevision": "head", **spec}}

    def operator(self, *options):
        return controllers.operator(self.options.build, self.cluster, self.folder, "--source-root", self.folder, *options)

    # ------------------------------------------------------------ K1: how soon

    def soon(self):
        """One resource after the other is moved to its next revision, whose first statement writes down the server's time."""
        rounds = -(-self.options.samples // DATABASES)
        folder = os.path.join(self.folder, "prompt", "rev")  # below the namespace's folder of the source root
        gen.write(folder, "athanor", [(n, gen.Moment(n)) for n in range(1, rounds + 2)])
        self.namespace("prompt")
        self.cluster.create_all([(resource("prompt"), self.declaration(
            f"r{n:03d}", n, "prompt", {"path": os.path.join(folder, "versions")}, targetRevision=gen.revision_id(1)))
            for n in range(DATABASES)])
        operator = self.operator("--watch-namespaces", "prompt")
        watcher = Watcher(self.cluster, resource("prompt"))
        sent, answered, reported = {}, {}, {}
        try:
            watcher.until(lambda items: all(map(is_ready, items.values())))
            self.quiet.wait()
            for revision in range(2, rounds + 2):
                order = list(range(DATABASES))
                random.Random(revision).shuffle(order)
                for n in order:
                    time.sleep(random.uniform(0, 0.1))  # as changes come: not in step with anything
                    self.bump(watcher, n, revision, sent, answered, reported)
        finally:
            watcher.close()
            operator.stop()
        self.cluster.delete_all("prompt")
        started = self.moments()
        from_sending = [1000 * (started[key] - sent[key]) for key in sent]
        from_answer = [1000 * (started[key] - answered[key]) for key in sent]
        until_reported = [1000 * (reported[key] - sent[key]) for key in sent]
        lines = ["", f"| K1: a change of one of 100 resources, {len(sent)} times, ms | p50 | p90 | p99 | most |", "|---|---:|---:|---:|---:|"]
        for what, values in (("**PATCH sent → first statement of the migration**", from_sending),
                             ("PATCH answered → first statement", from_answer), ("PATCH sent → Ready at the new revision seen", until_reported)):
            figures = [percentile(values, share) for share in (0.5, 0.9, 0.99, 1)]
            lines.append(f"| {what} | " + " | ".join(f"{f:.1f}" for f in figures) + " |")
            self.note("K1", what=what, samples=len(values), p50=figures[0], p90=figures[1], p99=figures[2], most=figures[3])
        return lines

    def bump(self, watcher, n, revision, sent, answered, reported):
        key, name, target = (n, revision), f"r{n:03d}", gen.revision_id(revision)
        sent[key] = time.time()
        self.cluster.send("PATCH", resource("prompt", name), {"spec": {"targetRevision": target}}, MERGE)
        answered[key] = time.time()
        watcher.until(lambda items: is_ready(items[name]) and items[name]["status"].get("currentRevision") == target)
        reported[key] = time.time()

    def moments(self):
        """(database, revision) -> when the server ran the first statement."""
        def read(n):
            return n, self.server.sql("SELECT revision, extract(epoch FROM moment) FROM prompt.moments WHERE revision > 1;", database(n))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return {(n, int(row[0])): float(row[1]) for n, rows in pool.map(read, range(DATABASES)) for row in rows}

    # ------------------------------------------------------------ K2 and K4: how many, how cheap

    def tenants(self):
        return [(f"group{n % GROUPS}", f"tenant{t:02d}-{n:03d}", n, f"tenant{t:02d}") for t in range(TENANTS) for n in range(DATABASES)]

    def many(self, with_peer):
        everyone = self.tenants()
        for group in range(GROUPS):
            self.namespace(f"group{group}")
            gen.write(os.path.join(self.folder, f"group{group}"), "athanor", gen.revisions(AT_REST))  # a namespace has a folder of its own
        self.cluster.create_all([
            (resource(group), self.declaration(name, n, schema, {"path": os.path.join(self.folder, group, "versions")}))
            for group, name, n, schema in everyone])
        first = self.cold("athanor-operator, first sight", self.operator, rest=False)
        rows = [first, self.cold("**athanor-operator**", self.operator)]
        resync = ["-resync", f"{RESYNC}s"]
        if with_peer:
            rows.append(self.cold("controller-runtime, observes too", self.peer, "-look", *resync))
            rows.append(self.cold("controller-runtime, reads its cache only", self.peer, *resync))
        lines = ["", f"| K2: {len(everyone):,} resources at their target | all observed, s | CPU s | most MiB | at rest MiB | % of a core | writes |",
                 "|---|---:|---:|---:|---:|---:|---:|"]
        for row in rows:
            rest = f"{row['rest_mib']:.1f} | {100 * row['rest_cpu']:.2f} | {row['writes']}" if "rest_mib" in row else "– | – | –"
            lines.append(f"| {row['controller']} | {row['seconds']:.1f} | {row['cpu']:.1f} | {row['most_mib']:.1f} | {rest} |")
        return lines

    def peer(self, *options):
        return controllers.controller_runtime(self.root, self.cluster, self.folder, *options)

    def cold(self, name, start, *options, rest=True):
        """From the start of the process until it has observed every resource; then what idling costs."""
        self.server.sql("CHECKPOINT;")
        self.quiet.wait()
        running = start(*options)
        try:
            row = {"controller": name, "seconds": running.until_reconciled(DATABASES * TENANTS)}
            running.until_idle()
            if failed := running.sum(running.scrape(), "controller_runtime_reconcile_errors_total"):
                raise SystemExit(f"{name}: {failed:.0f} reconciles failed; see {running.log}")
            row.update(cpu=running.cpu(), most_mib=running.memory("VmHWM"))
            if rest:
                time.sleep(10)
                row.update(self.at_rest(running))
        finally:
            running.stop()
        self.note("K2", **row)
        return row

    def at_rest(self, running):
        versions, served, own = self.all_versions(), self.cluster.writes(), running.writes()
        core, memory = running.at_rest(self.options.rest)
        after = self.cluster.writes()
        changed = sum(versions[key] != version for key, version in self.all_versions().items())
        served = {what: count - served.get(what, 0) for what, count in after.items() if count != served.get(what, 0)}
        renewals = {method: count - own[method] for method, count in running.writes().items() if count != own[method]}
        return {"rest_cpu": core, "rest_mib": memory, "writes": int(sum(served.values())) + changed, "served": served, "own": renewals}

    def all_versions(self):
        return self.cluster.versions("/apis/athanor.dev/v1alpha1/databasemigrations")

    # ------------------------------------------------------------ K3: how fast

    def crowd(self):
        """A thousand resources read one ConfigMap, which gets one more revision; the command line does the same for as many. Every
        revision creates a table of the same form, and who goes first changes from round to round."""
        every = [(n, gen.Table(n)) for n in range(1, 2 * self.options.reps + 2)]
        self.namespace("crowd")
        self.cluster.send("POST", CROWD_FILES, {"metadata": {"name": "revisions"}, "data": self.files(every[:1])})
        self.cluster.create_all([(resource("crowd"), self.declaration(f"bumped{t}-{n:03d}", n, f"bumped{t}", {"configMaps": [{"name": "revisions"}]}))
                                 for t in range(BUMPED) for n in range(DATABASES)])
        watcher, seconds = Watcher(self.cluster, resource("crowd")), {"athanor-operator": [], "athanor": []}
        try:
            operator = self.operator("--watch-namespaces", "crowd")  # first sight is no part of it
            try:
                watcher.until_every(is_ready, 300)
            finally:
                operator.stop()
            for number in range(2, len(every) + 1):
                tool = "athanor-operator" if number // 2 % 2 == number % 2 else "athanor"
                if tool == "athanor":
                    seconds[tool].append(self.crowd_by_hand(every[:number]))
                else:
                    seconds[tool].append(self.crowd_by_operator(watcher, every[:number]))
                self.note("K3", tool=tool, seconds=seconds[tool][-1])
        finally:
            watcher.close()
        self.cluster.delete_all("crowd")
        floor = percentile(seconds["athanor"], 0.5)
        lines = ["", f"| K3: {BUMPED * DATABASES:,} resources one revision up, {AT_A_TIME} at a time | s | a second | × the command line |",
                 "|---|---:|---:|---:|"]
        for tool, values in seconds.items():
            median = percentile(values, 0.5)
            lines.append(f"| **{tool}** | {median:.2f} | {BUMPED * DATABASES / median:.0f} | {floor / median:.2f} |")
        return lines

    def crowd_by_operator(self, watcher, items):
        """All of them stand one revision below: the operator has seen that, and then the ConfigMap changes."""
        def at(number):
            return lambda item: is_ready(item) and item["status"].get("currentRevision") == gen.revision_id(number)

        self.cluster.send("PATCH", CROWD_FILES + "/revisions", {"data": self.files(items[:-1])}, MERGE)
        operator = self.operator("--watch-namespaces", "crowd")
        try:
            operator.until_reconciled(BUMPED * DATABASES)
            watcher.until_every(at(len(items) - 1), 300)
            operator.until_idle()
            time.sleep(5)  # events are still being written
            self.server.sql("CHECKPOINT;")
            self.quiet.wait()
            begun = time.time()
            self.cluster.send("PATCH", CROWD_FILES + "/revisions", {"data": self.files(items)}, MERGE)
            watcher.until_every(at(len(items)), 300)
            return time.time() - begun
        finally:
            operator.stop()

    @staticmethod
    def files(items):
        return {os.path.basename(name): text for name, text in gen.athanor(items) if name.startswith("versions/")}

    def crowd_by_hand(self, items):
        """One process per tenant, eight at a time, as a deployment script would; in the operator's order."""
        gen.write(os.path.join(self.folder, "crowd"), "athanor", items)
        command, environment = self.athanor("fleet$2", "crowd", "bumped$1")
        script = f'DATABASE_URL="{environment["DATABASE_URL"]}" exec ' + " ".join(f'"{part}"' for part in command)
        places = "".join(f"{t} {n:03d}\n" for t in range(BUMPED) for n in range(DATABASES))
        self.server.sql("CHECKPOINT;")
        self.quiet.wait()
        begun = time.time()
        subprocess.run(["xargs", "-P", str(AT_A_TIME), "-n", "2", "sh", "-c", script, "sh"], input=places, text=True, env=environment,
                       check=True, stdout=subprocess.DEVNULL)
        return time.time() - begun

    def workload(self, name):
        """Runs one of them and prints its table."""
        chosen = self.options.workloads.split(",")
        lines = {"K1": self.soon, "K2": lambda: self.many("K4" in chosen), "K3": self.crowd}[name]()
        self.lines += lines
        print("\n".join(lines), flush=True)
