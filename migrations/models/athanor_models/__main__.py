"""python -m athanor_models [--json] [--server-version N] [--sys-path FOLDER]... package.module:metadata...

Prints the schema as SQL. With --json one document: the statements, what they were made of, or what went wrong.
"""

import argparse
import json
import os
import sys


def main(arguments=None):
    # What the models print while they are imported belongs on standard error: standard output carries the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    parser = argparse.ArgumentParser(prog="python -m athanor_models", description="The schema that models describe, as SQL for PostgreSQL.")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--server-version", type=int, default=0, help="major version of PostgreSQL to write for")
    parser.add_argument("--sys-path", action="append", default=[], help="folder to import from, before all others")
    parser.add_argument("targets", nargs="+", metavar="package.module:metadata")
    options = parser.parse_args(arguments)

    from athanor_models.collect import write_schema
    from athanor_models.faults import Fault
    from athanor_models.inputs import Inputs

    sys.path[:0] = options.sys_path
    inputs = Inputs()
    try:
        statements, tables = write_schema(options.targets, options.server_version)
        own, libraries, folders = inputs.files()
        document = {"statements": statements, "tables": tables, "own": own, "libraries": libraries, "folders": folders}
        document["variables"] = inputs.variables()
    except Fault as fault:
        document = {"error": fault.as_json()}
    if options.json:
        json.dump(document, answer)
        answer.write("\n")
    elif "error" in document:
        fault = document["error"]
        sys.stderr.write("error: %s%s\n" % (fault["place"] + ": " if fault["place"] else "", fault["message"]))
        if fault["hint"]:
            sys.stderr.write("hint: %s\n" % fault["hint"])
    else:
        answer.write("".join(statement + ";\n" for statement in document["statements"]))
    answer.flush()
    return 1 if "error" in document else 0


if __name__ == "__main__":
    sys.exit(main())
