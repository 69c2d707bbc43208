#!/usr/bin/env python3
"""Judges the planner on public pairs of schemas.

    git clone https://github.com/pgplex/pgschema; git clone https://github.com/djrobstep/migra
    tests/corpora/corpora.py pgschema migra

Each folder is searched for pairs: old.sql and new.sql, or a.sql and b.sql, side by side. The files stay where they are: they are
other projects' and never part of this one. Needs a server (tests/support/throwaway-postgres start build/postgres) and the
program schema_pairs (cmake --build build --target schema_pairs).
"""

import argparse
import collections
import os
import pathlib
import subprocess
import sys
import tempfile

PAIRS = (("old.sql", "new.sql"), ("a.sql", "b.sql"))


def pairs_in(folder):
    for old_name, new_name in PAIRS:
        for old in sorted(folder.rglob(old_name)):
            new = old.with_name(new_name)
            if new.exists():
                yield str(old.parent.relative_to(folder.parent)), old, new


def with_setup(file, scratch):
    """The file behind the setup.sql of its folder, which both sides of a pair begin with."""
    setup = file.with_name("setup.sql")
    if not setup.exists():
        return file
    joined = pathlib.Path(scratch) / (file.parent.name + "-" + file.name)
    joined.write_text(setup.read_text() + "\n" + file.read_text())
    return joined


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--plain", action="store_true", help="one transaction wherever PostgreSQL allows it")
    parser.add_argument("--only", default="", help="pairs whose name contains this")
    parser.add_argument("--least", type=float, default=0.97, help="fail below this share of quiet ways")
    options = parser.parse_args()
    scratch = tempfile.TemporaryDirectory()
    lines = []
    for folder in options.folders:
        for name, old, new in pairs_in(folder.resolve()):
            if options.only in name:
                lines.append(f"{name}\t{with_setup(old, scratch.name)}\t{with_setup(new, scratch.name)}")
    if not lines:
        sys.exit("no pairs in these folders")
    command = [str(options.build / "tests" / "schema_pairs")] + (["--plain"] if options.plain else [])
    verdicts = collections.Counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as program:
        program.stdin.write("\n".join(lines) + "\n")
        program.stdin.close()
        for answer in program.stdout:
            name, way, verdict, detail = answer.rstrip("\n").split("\t", 3)
            verdicts[verdict] += 1
            if verdict != "quiet":
                print(f"{verdict}: {name} ({way})\n    " + detail.replace("\\n", "\n    "), flush=True)
    judged = sum(count for verdict, count in verdicts.items() if verdict != "load")
    share = verdicts["quiet"] / judged if judged else 0.0
    print(f"{len(lines)} pairs, {judged} ways judged: {100 * share:.1f} % quiet; " + str(dict(verdicts)))
    return 0 if share >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
