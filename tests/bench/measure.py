"""Running a command and knowing what it cost; a throwaway PostgreSQL to run it against."""
import itertools
import os
import re
import subprocess
import tempfile
import time

KEPT_ASIDE = 400  # databases, of 8 MB and more
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A PostgreSQL of the run's own, with fsync on. With `trust`, passwords are not asked for: checking one is slow on purpose,
    and the same for every tool, so it would only hide how long the rest takes."""

    def __init__(self, root, trust=True):
        self.aside, self.numbers = [], itertools.count()  # databases of earlier runs
        self.script = os.path.join(root, "tests", "support", "throwaway-postgres")
        self.folder = tempfile.mkdtemp(prefix="athanor-bench-pg.")
        self.url = subprocess.run([self.script, "start", self.folder], check=True, capture_output=True, text=True,
                                  env=dict(os.environ, ATHANOR_FSYNC="on")).stdout.strip()
        data = open(os.path.join(self.folder, "data-folder"), encoding="utf-8").read().strip()
        self.pid = int(open(os.path.join(data, "postmaster.pid"), encoding="utf-8").readline())
        if trust:
            with open(os.path.join(data, "pg_hba.conf"), "r+", encoding="utf-8") as file:
                text = file.read().replace("scram-sha-256", "trust")
                file.seek(0)
                file.write(text)
                file.truncate()
        newest = sorted(os.listdir("/usr/lib/postgresql"), key=int)[-1]
        self.psql = f"/usr/lib/postgresql/{newest}/bin/psql"
        self.sql("SELECT pg_reload_conf();")

    def stop(self):
        subprocess.run([self.script, "stop", self.folder], check=False)

    def database(self, name):
        return re.sub(r"/[^/]*$", "/" + name, self.url)

    def conninfo(self, name):
        user, password, host, port = re.match(r"\w+://(.*?):(.*?)@(.*?):(\d+)/", self.url).groups()
        return f"host={host} port={port} user={user} password={password} dbname={name}"

    def sql(self, text, database="postgres"):
        """Runs statements, one transaction each; answers rows as lists of text."""
        done = subprocess.run([self.psql, "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.database(database)],
                              input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{text[:200]}: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def fresh(self, *names):
        """New databases under these names. Those that had the names are set aside and dropped some runs later: a file system
        that has just deleted thousands of files is slow at making new ones (ext4 without a journal looks for an inode that was
        not freed within the last minute), and a database emptied in place has a bloated catalog. Nobody's first migration
        meets either."""
        present = {row[0] for row in self.sql("SELECT datname FROM pg_database;")}
        aside = {name: f"aside{next(self.numbers)}_{name}" for name in names if name in present}
        self.aside += aside.values()
        doomed, self.aside = self.aside[:-KEPT_ASIDE], self.aside[-KEPT_ASIDE:]
        self.sql("".join(f"ALTER DATABASE {name} RENAME TO {other};\n" for name, other in aside.items())
                 + "".join(f"DROP DATABASE {name};\n" for name in doomed)
                 + "".join(f"CREATE DATABASE {name};\n" for name in names) + "CHECKPOINT;\n")

    def cpu(self):
        """CPU seconds the server has used, its running children included."""
        total = 0
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                        fields = file.read().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(entry) == self.pid:
                    total += sum(map(int, fields[11:15]))
                elif int(fields[1]) == self.pid:
                    total += int(fields[11]) + int(fields[12])
        return total / TICKS


def machine_busy():
    with open("/proc/stat", encoding="utf-8") as file:
        fields = [int(x) for x in file.readline().split()[1:9]]
    return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]) / TICKS


def prefer(pid, nice):
    """Where the kernel weighs sessions and not processes (autogroup), a priority counts among the processes of a session only."""
    if os.path.exists(f"/proc/{pid}/autogroup"):
        with open(f"/proc/{pid}/autogroup", "w", encoding="utf-8") as file:
            file.write(str(nice))


class Quiet:
    """Waits until the machine was at least 85 % idle for a quarter second, or patience runs out. On a machine that is never
    quiet, patience wears thin."""

    def __init__(self, patience):
        self.full = self.left = patience

    def wait(self):
        deadline = time.monotonic() + self.left
        while time.monotonic() < deadline:
            before = machine_busy()
            time.sleep(0.25)
            if machine_busy() - before < 0.15 * 0.25 * (os.cpu_count() or 1):
                self.left = self.full
                return True
        self.left /= 2
        return False


class Measurement:
    def __init__(self, wall, user, system, rss_kib, code, foreign, output):
        self.wall, self.cpu, self.rss, self.code = wall, user + system, rss_kib / 1024, code
        self.foreign, self.output = foreign, output  # foreign: CPU that others used meanwhile
        self.noisy = foreign > 0.05 + 0.1 * wall


def measure(server, runner, command, environment, quiet=None):
    """One run of `command`. Its output goes to a file: a terminal would be part of the figure."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", **environment}
    with tempfile.TemporaryDirectory(prefix="athanor-bench.") as folder:
        report, output = os.path.join(folder, "report"), os.path.join(folder, "output")
        if quiet:
            quiet.wait()
        busy, server_cpu, own = machine_busy(), server.cpu(), sum(os.times()[:2])
        with open(output, "wb") as file:
            subprocess.run([runner, report, *command], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                           env=environment, cwd=folder, check=False)
        own, server_cpu, busy = sum(os.times()[:2]) - own, server.cpu() - server_cpu, machine_busy() - busy
        with open(report, encoding="utf-8") as file:
            wall, user, system, rss, code = file.read().split()
        with open(output, encoding="utf-8", errors="replace") as file:
            text = file.read()[-2000:]
    foreign = max(0.0, busy - server_cpu - own - float(user) - float(system))
    return Measurement(float(wall), float(user), float(system), int(rss), int(code), foreign, text)
