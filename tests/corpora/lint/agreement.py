#!/usr/bin/env python3
"""Compares `athanor lint` with the cases of squawk and eugene, rule by rule.

    tests/corpora/lint/agreement.py --athanor build/bin/athanor --squawk ~/src/squawk --eugene ~/src/eugene

Reads checkouts of those projects, which are not part of this repository. Each case is a piece of SQL with one rule of theirs and
whether it is broken; it is linted as a plain SQL file, and agrees when one of the rules that mean the same is found, or is not.
Prints the agreement by rule and every difference. EXPECTED says why for the differences that are meant.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

# Their rule: ours that mean the same.
SQUAWK = {
    "AddingFieldWithDefault": ["addcol-volatile-default", "addcol-generated-stored"],
    "AddingForeignKeyConstraint": ["fk-not-valid", "addcol-inline-fk"],
    "AddingNotNullableField": ["set-not-null"],
    "AddingSerialPrimaryKeyField": ["pk-add", "addcol-inline-unique", "addcol-serial-or-identity"],
    "AddingRequiredField": ["addcol-required"],
    "BanAlterDomainWithAddConstraint": ["domain-constraint"],
    "BanCharField": ["char-n"],
    "BanConcurrentIndexCreationInTransaction": ["concurrent-in-transaction"],
    "BanCreateDomainWithConstraint": ["domain-with-constraint"],
    "BanDropColumn": ["drop-column"],
    "BanDropDatabase": ["drop-database"],
    "BanDropNotNull": ["drop-not-null"],
    "BanDropTable": ["drop-table"],
    "BanDuplicateColumnAssignments": ["duplicate-column"],
    "BanTruncateCascade": ["cascade"],
    "BanUncommittedTransaction": ["transaction-control-in-file"],
    "TransactionNesting": ["transaction-control-in-file"],
    "ChangingColumnType": ["type-change", "timestamptz-change"],
    "ConstraintMissingNotValid": ["check-not-valid", "fk-not-valid", "validate-same-transaction"],
    "DisallowedUniqueConstraint": ["unique-add", "addcol-inline-unique"],
    "IdentifierTooLong": ["identifier-63"],
    "PreferBigintOverInt": ["int-width"],
    "PreferBigintOverSmallint": ["int-width"],
    "PreferIdentity": ["prefer-identity"],
    "PreferRepack": ["cluster-or-vacuum-full"],
    "PreferRobustStmts": ["robust-statement"],
    "PreferTextField": ["varchar-n"],
    "PreferTimestampTz": ["timestamp-no-tz"],
    "RenamingColumn": ["rename-column"],
    "RenamingTable": ["rename-table"],
    "RequireConcurrentIndexCreation": ["index-create"],
    "RequireConcurrentIndexDeletion": ["index-drop"],
    "RequireConcurrentPartitionDetach": ["partition-detach"],
    "RequireConcurrentReindex": ["reindex"],
    "RequireEnumValueOrdering": ["enum-order"],
    "RequireTableSchema": ["unqualified-name"],
    "RequireTimeoutSettings": ["lock-timeout-missing", "statement-timeout-missing"],
    "RequireLockTimeout": ["lock-timeout-missing"],
    "RequireStatementTimeout": ["statement-timeout-missing"],
}
EUGENE = {
    "E1": ["check-not-valid"],
    "E2": ["set-not-null"],
    "E3": ["json-type"],
    "E4": ["work-after-ael"],
    "E5": ["type-change"],
    "E6": ["index-create"],
    "E7": ["unique-add"],
    "E8": ["exclusion-add"],
    "E9": ["lock-timeout-missing"],
    "E10": ["work-after-ael"],
    "E11": ["addcol-serial-or-identity"],
    "E15": ["fk-unindexed"],
    "W12": ["merge-alter-table"],
    "W13": ["enum-type"],
    "W14": ["pk-using-index-nullable"],
}
# Differences that are meant: the name of the case, and why.
EXPECTED = {
    "squawk RequireTimeoutSettings err_other_ddl_operations":
        "CREATE TYPE locks nothing that is older than it: there is nothing to wait for",
    "squawk RequireTimeoutSettings err_lock_access_share_uses_correct_article":
        "ACCESS SHARE is what every SELECT takes",
    "squawk RequireTimeoutSettings fix_multiple_ddl_statements":
        "only the table that the file creates is altered: nobody else knows it yet",
    "squawk AddingFieldWithDefault docs_example_error_on_pg_11":
        "PostgreSQL 11 is the first version where a constant default writes no row",
    "squawk BanCharField fix_char_with_length 5":
        'a quoted "character" is no type of PostgreSQL',
    "squawk BanCharField all_the_types":
        "the case holds `int array[]`, which PostgreSQL refuses: unclassified here",
    "squawk BanUncommittedTransaction nested_begin_only_last_uncommitted_err":
        "one rule here for this and TransactionNesting, whose case of the same SQL is flagged",
    "squawk PreferRepack cluster_below_pg19_ok":
        "CLUSTER rewrites the table on every version; pg_repack, the program, knows them all",
    "squawk PreferRepack vacuum_full_below_pg19_ok":
        "VACUUM FULL rewrites the table on every version",
    "squawk PreferBigintOverInt ok":
        "one rule here for int and smallint: the case that is silent about smallint is flagged in the next",
    "squawk PreferBigintOverSmallint ok":
        "one rule here for int and smallint: the case that is silent about int is flagged in the one before",
    "squawk BanAlterDomainWithAddConstraint ok":
        "the case has ALTER DOMAIN … SET NOT NULL, which reads every table that uses the domain (tests/postgres/lint)",
    "squawk BanConcurrentIndexCreationInTransaction assuming_in_transaction_ok":
        "CREATE INDEX CONCURRENTLY fails inside a transaction, alone in its file or not",
}


class Case:
    def __init__(self, project, rule, name, sql, broken, single=False, postgres=None):
        self.project, self.rule, self.name, self.sql = project, rule, name, sql
        self.broken, self.single, self.postgres = broken, single, postgres

    @property
    def title(self):
        return f"{self.project} {self.rule} {self.name}"


def rust_strings(body):
    """String literals of Rust, raw ones and plain ones."""
    for match in re.finditer(r'r#"(.*?)"#|"((?:[^"\\]|\\.)*)"', body, re.S):
        if match.group(1) is not None:
            yield match.group(1)
        else:
            text = re.sub(r"\\\n\s*", "", match.group(2))
            yield text.replace("\\n", "\n").replace("\\r", "\r").replace('\\"', '"').replace("\\\\", "\\")


def squawk_cases(folder):
    rules = pathlib.Path(folder) / "crates/squawk_linter/src/rules"
    for path in sorted(rules.glob("*.rs")):
        text = path.read_text()
        if "mod test" not in text:
            continue
        tests = text[text.index("mod test"):]
        names = re.findall(r"Rule::(\w+)", tests)
        default = collections.Counter(n for n in names if n in SQUAWK).most_common(1)
        for match in re.finditer(r"#\[test\]\s*fn (\w+)\(\) \{\n(.*?)\n    \}\n", tests, re.S):
            name, body = match.groups()
            code = re.sub(r'@r?#?".*', "", body, flags=re.S) if "fix(" not in body and "fix_sql" not in body else body
            rule = next((r for r in re.findall(r"Rule::(\w+)", body) if r in SQUAWK), default[0][0] if default else None)
            if rule is None:
                continue
            single = "assume_in_transaction: true" in body and "squawk-disable-assume-in-transaction" not in body
            version = re.search(r'pg_version: "(\d+)"', body)
            postgres = version.group(1) if version else "19" if "pg19()" in body else None
            if path.stem == "prefer_repack" and "fix(" in body:
                postgres = "19"
            sqls = squawk_sql(code)
            if sqls is None:
                continue
            silent = "lint_ok" in body
            for number, sql in enumerate(sqls):
                title = name if len(sqls) == 1 else f"{name} {number + 1}"
                yield Case("squawk", rule, title, sql, not silent, single, postgres)


def squawk_sql(body):
    """The SQL a test lints; nothing where it is about something else than what is flagged."""
    if "lock_kinds(" in body or "format!(" in body and "prefix" not in body and "identifier" not in body:
        return None
    found = re.search(r"let sql = (.*?);\n\s*(?:let|lint|assert|$)", body + "\n", re.S)
    if found:
        if "format!(" in found.group(1):
            if "prefix" in body:
                prefix = "a" * 63
                return [f"update k set {prefix}x = 1, {prefix}y = 2;"]
            return ['create table "' + "a" * 63 + '""b" (id bigint);']
        strings = list(rust_strings(found.group(1)))
        return strings[:1]
    fixed = re.findall(r'(?:fix|lint_errors|lint_ok|lint|fix_sql)\(\s*((?:r#".*?"#)|(?:"(?:[^"\\]|\\.)*"))', body, re.S)
    sqls = [next(rust_strings(item)) for item in fixed]
    return sqls or None


def eugene_cases(folder):
    examples = pathlib.Path(folder) / "eugene/examples"
    if not examples.exists():
        examples = pathlib.Path(folder) / "examples"
    for path in sorted(examples.glob("[EW]*/*.sql")):
        yield Case("eugene", path.parent.name, path.stem, path.read_text(), path.stem == "bad")


def files_of(case):
    """eugene's examples hold several scripts, each a transaction unless it builds an index concurrently."""
    if case.project != "eugene":
        return [(case.sql, case.single)]
    parts = re.split(r"(?m)^-- \d+\.sql\n", case.sql)
    return [(part, "concurrently" not in part) for part in parts if part.strip()]


def lint(athanor, folder, case):
    found = set()
    groups = files_of(case)
    names = []
    for number, (sql, single) in enumerate(groups):
        # A transaction of their tool is BEGIN and COMMIT in a file that psql runs.
        wrapped = f"BEGIN;\n{sql}\n;COMMIT;\n" if single and case.project == "eugene" else sql
        name = pathlib.Path(folder) / f"{number}.sql"
        name.write_text(wrapped, newline="")
        names.append(str(name))
    config = pathlib.Path(folder) / "athanor.yaml"
    config.write_text("lint:\n  unqualified-name: warning\n")
    command = [athanor, "lint", "--json", "-c", str(config), *names]
    if case.project == "squawk" and case.single:
        command.append("--single-transaction")
    if case.postgres:
        command += ["--postgres", case.postgres]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if not answer.stdout:
        sys.exit(f"{case.title}: athanor ended with {answer.returncode} and said nothing\n{case.sql}")
    for finding in json.loads(answer.stdout).get("findings", []):
        found.add(finding["rule"])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--athanor", required=True)
    parser.add_argument("--squawk")
    parser.add_argument("--eugene")
    parser.add_argument("--least", type=float, default=95.0, help="percentage below which the command fails")
    options = parser.parse_args()
    cases = (list(squawk_cases(options.squawk)) if options.squawk else []) + (
        list(eugene_cases(options.eugene)) if options.eugene else [])
    agreed, total = collections.Counter(), collections.Counter()
    differences = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            ours = (SQUAWK if case.project == "squawk" else EUGENE).get(case.rule)
            found = lint(options.athanor, folder, case)
            total[case.project, case.rule] += 1
            if bool(found & set(ours)) == case.broken:
                agreed[case.project, case.rule] += 1
            else:
                differences.append((case, found))
    for key in sorted(total):
        print(f"{key[0]:7} {key[1]:42} {agreed[key]:3} of {total[key]:3}")
    print()
    for case, found in differences:
        reason = EXPECTED.get(case.title, "NOT EXPLAINED")
        print(f"{case.title}: they say {'broken' if case.broken else 'fine'}; {reason}")
        if reason == "NOT EXPLAINED":
            print("    " + " ".join(case.sql.split())[:200])
            print("    found: " + ", ".join(sorted(found)))
    if not cases:
        sys.exit("no cases: name a checkout with --squawk or --eugene")
    percentage = 100.0 * sum(agreed.values()) / len(cases)
    print(f"\n{sum(agreed.values())} of {len(cases)} cases agree: {percentage:.1f} %")
    sys.exit(0 if percentage >= options.least else 1)


if __name__ == "__main__":
    main()
