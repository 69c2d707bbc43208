#!/usr/bin/env python3
"""How long reading a schema takes: `make bench-inspect`.

    tests/bench/inspect_bench.py BUILD [--tables 500,5000] [--rounds 9]

Fills a database of a throwaway server for each number of tables, and measures in turn: the questions to the catalog alone, over libpq
and with the answers thrown away; the same questions with the facts made of them; and pg_dump -s. Connecting is part of pg_dump's time
alone. Prints medians and ratios to the bare questions.
"""
import argparse
import os
import statistics
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = HERE.parent / "support" / "throwaway-postgres"


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def one_round(program, url):
    """Milliseconds of each contestant, and the facts, edges and MiB of the inspection."""
    # The first round of a process fills the server's caches for its connection, as every first look does.
    bare = [float(line) for line in run(program, url, "bare", 3).split()]
    *looks, summary = run(program, url, "inspect", 3).splitlines()
    start = time.monotonic()
    run("pg_dump", "-s", "-d", url, "-f", os.devnull)
    dump = (time.monotonic() - start) * 1000
    return {"bare": bare[0], "inspect": float(looks[0]), "bare again": bare[-1], "inspect again": float(looks[-1]), "pg_dump -s": dump}, summary


def measure(program, server, tables, rounds):
    name = f"inspect{tables}"
    run("psql", "-q", "-d", server, "-c", f"CREATE DATABASE {name}")
    url = server.rsplit("/", 1)[0] + "/" + name
    run(program, url, "fill", tables)
    measured, summary = [], ""
    for _ in range(rounds):
        times, summary = one_round(program, url)
        measured.append(times)
    medians = {what: statistics.median(times[what] for times in measured) for what in measured[0]}
    print(f"\n| {tables} tables | ms | × bare |\n|---|---:|---:|")
    for what, median in medians.items():
        base = medians["bare again" if what.endswith("again") else "bare"]
        print(f"| {what} | {median:.0f} | {median / base:.2f} |")
    print(f"\n{summary}", flush=True)
    return medians


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--tables", default="500,5000")
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    folder = chosen.build / "postgres-inspect"
    server = run(SERVER, "start", folder).strip()
    try:
        for tables in (int(number) for number in chosen.tables.split(",")):
            measure(chosen.build / "bench" / "inspect", server, tables, chosen.rounds)
    finally:
        run(SERVER, "stop", folder)


if __name__ == "__main__":
    main()
