"""The tools that are measured: one entry each.

A tool turns an operation into (command line, extra environment), or None when it has no such operation. Operations: up, down,
current, heads, history; `current` is what a tool calls status or info where it has nothing closer. `url` is the database's URL;
`folder` holds the revisions in the tool's own format (gen.py)."""
import os
import shutil


class Tool:
    def __init__(self, name, command, operations, checks_bodies=False, how_to_get=""):
        self.name = name
        self.command = command  # the program's name, looked for in $PEERS_HOME and on PATH
        self.format = name.split("-")[0]
        self.operations = operations  # operation -> (url, folder) -> arguments
        self.checks_bodies = checks_bodies  # compares files with what was applied: cannot be set up with empty bodies
        self.how_to_get = how_to_get
        self.program = None

    def call(self, operation, url, folder):
        make = self.operations.get(operation)
        if make is None:
            return None
        return [self.program, *make(url, folder)], {"DATABASE_URL": url}


def find_peer(command):
    home = os.environ.get("PEERS_HOME")
    for folder in [os.path.join(home, "bin"), os.path.join(home, "venv", "bin")] if home else []:
        path = os.path.join(folder, command)
        if os.access(path, os.X_OK):
            return path
    return shutil.which(command)


def plain(url):
    return url + "?sslmode=disable"


def athanor(*arguments):
    return lambda url, folder: ["-c", f"{folder}/athanor.yaml", *arguments]


def alembic(*arguments):
    return lambda url, folder: ["-c", f"{folder}/alembic.ini", *arguments]


def goose(*arguments):
    return lambda url, folder: ["-dir", folder, "postgres", plain(url), *arguments]


def dbmate(*arguments):
    return lambda url, folder: ["-u", plain(url), "-d", folder, "--no-dump-schema", *arguments]


def tern(command, *rest):
    return lambda url, folder: [command, *rest, "-m", folder, "--conn-string", plain(url)]


def sqlx(command, *rest):
    return lambda url, folder: ["migrate", command, *rest, "--no-dotenv", "--source", folder, "-D", plain(url)]


def migrate(*arguments):
    return lambda url, folder: ["-path", folder, "-database", plain(url), *arguments]


def athanor_and_reference(build):
    """The two from our own build folder."""
    ours = Tool("athanor", "athanor", {"up": athanor("upgrade", "head"), "down": athanor("downgrade", "base"),
                                       "current": athanor("current"), "heads": athanor("heads"),
                                       "history": athanor("history")}, checks_bodies=True)
    ours.program = os.path.join(build, "bin", "athanor")
    floor = Tool("reference", "reference", {"up": lambda url, folder: ["up", url, folder],
                                            "down": lambda url, folder: ["down", url, folder]})
    floor.program = os.path.join(build, "bench", "reference")
    return [floor, ours]


def peers():
    """Those of the list that this machine has; and the names and sources of those it has not."""
    every = [
        Tool("goose", "goose", {"up": goose("up"), "down": goose("down-to", "0"), "current": goose("status")},
             how_to_get="go install github.com/pressly/goose/v3/cmd/goose@v3.29.0"),
        Tool("tern", "tern", {"up": tern("migrate"), "down": tern("migrate", "-d", "0"), "current": tern("status")},
             how_to_get="go install github.com/jackc/tern/v2@v2.3.4"),
        Tool("migrate", "migrate", {"up": migrate("up"), "down": migrate("down", "-all"), "current": migrate("version")},
             how_to_get="go install -tags postgres github.com/golang-migrate/migrate/v4/cmd/migrate@v4.20.1"),
        Tool("dbmate", "dbmate", {"up": dbmate("migrate"), "current": dbmate("status")},
             how_to_get="npm install dbmate@2.36.0"),
        Tool("sqlx", "sqlx", {"up": sqlx("run"), "down": sqlx("revert", "--target-version", "0"), "current": sqlx("info")},
             checks_bodies=True, how_to_get="cargo install sqlx-cli --no-default-features --features postgres,rustls"),
        Tool("refinery", "refinery", {"up": lambda url, folder: ["migrate", "-e", "DATABASE_URL", "-p", folder]},
             checks_bodies=True, how_to_get="cargo install refinery_cli --no-default-features --features postgresql"),
        Tool("alembic", "alembic", {"up": alembic("upgrade", "head"), "down": alembic("downgrade", "base"),
                                    "current": alembic("current"), "heads": alembic("heads"), "history": alembic("history")},
             how_to_get="pip install alembic==1.20.1 psycopg2-binary"),
    ]
    for tool in every:
        tool.program = find_peer(tool.command)
    return [t for t in every if t.program], [t for t in every if not t.program]
