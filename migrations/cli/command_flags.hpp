// Flags and examples of each verb, for the table of commands alone.
//
// Threads: constant data.
#pragma once

#include <algorithm>
#include <array>

#include "migrations/cli/command_table.hpp"

namespace athanor::cli::table {

using enum Completes;

inline constexpr std::array kGlobalFlags{
    FlagSpec{"--config", 'c', "FILE", "configuration file (default: $ATHANOR_CONFIG, then ./athanor.yaml)", false, File},
    FlagSpec{"--name", 'n', "SECTION", "entry of `environments:` in the configuration that overrides the rest"},
    FlagSpec{"--set", 'x', "KEY=VALUE", "override one setting of the run, for example -x lock_timeout=5s", true},
    FlagSpec{"--migrations", '\0', "DIR", "folder of revision files, instead of version_locations", true, Folder},
    FlagSpec{"--json", '\0', "", "one JSON object on standard output, errors included"},
    FlagSpec{"--quiet", 'q', "", "print results and errors only, no progress or remarks"},
    FlagSpec{"--verbose", 'v', "", "print more detail"},
    FlagSpec{"--no-color", '\0', "", "never colour the output (NO_COLOR in the environment does the same)"},
    FlagSpec{"--raiseerr", '\0', "", "accepted for compatibility with Alembic; has no effect"},
    FlagSpec{"--version", '\0', "", "print the version and exit"},
    FlagSpec{"--help", 'h', "", "print help and exit"},
};

inline constexpr FlagSpec kSql{"--sql", '\0', "", "print the SQL instead of running it; needs no database"};
inline constexpr FlagSpec kTag{"--tag", '\0', "TAG", "accepted for compatibility with Alembic; has no effect"};
inline constexpr FlagSpec kVerify{"--verify", '\0', "",
                                  "compare checksums of applied revisions even when there is nothing to do"};
inline constexpr FlagSpec kMessage{"--message", 'm', "TEXT", "what the revision does, in a few words"};
inline constexpr FlagSpec kBranchLabel{"--branch-label", '\0', "LABEL", "branch label of the new revision", true};
inline constexpr FlagSpec kRevId{"--rev-id", '\0', "ID", "use this id instead of a random one"};
inline constexpr FlagSpec kSplice{"--splice", '\0', "", "allow a parent that is not a head"};
inline constexpr FlagSpec kVersionPath{
    "--version-path", '\0', "DIR", "version location in which to create the file", false, Folder};

inline constexpr FlagSpec kBackupFolder{
    "--backup-folder", '\0', "DIR", "folder of the backups, instead of backup.folder", false, Folder};
inline constexpr FlagSpec kAcceptMaxAge{"--accept-max-age", '\0', "DURATION",
                                        "accept a verified backup of the same revision that is younger, for example 1h"};

inline constexpr FlagSpec kReport{"--report", '\0', "FILE", "also write the result to this file, as JSON of at most 4 KiB",
                                  false,      File};

inline constexpr FlagSpec kShowValues{"--show-values", '\0', "",
                                      "keep data values in the server's messages; they are stored in the ledger too"};

inline constexpr std::array kMigrateFlags{
    kSql,
    kTag,
    kVerify,
    FlagSpec{"--backup", '\0', "", "take and verify a backup first; without one, nothing runs"},
    kBackupFolder,
    kAcceptMaxAge,
    FlagSpec{"--plan-hash", '\0', "HASH", "run only the plan with this hash, as `plan --show-sql` prints it"},
    kReport,
    kShowValues,
};
// `flags`, and one that only this verb has.
template <std::size_t N>
constexpr std::array<FlagSpec, N + 1> with_flag(const std::array<FlagSpec, N>& flags, const FlagSpec& own) {
  std::array<FlagSpec, N + 1> all;
  std::copy(flags.begin(), flags.end(), all.begin());
  all.back() = own;
  return all;
}
inline constexpr std::array kUpgradeFlags =
    with_flag(kMigrateFlags,
              FlagSpec{"--accept-ahead", '\0', "", "succeed when the database is ahead of the files and includes the target"});
inline constexpr std::array kDowngradeFlags =
    with_flag(kMigrateFlags,
              FlagSpec{"--from-ledger", '\0', "", "undo revisions whose files are gone, with the SQL recorded in the ledger"});
inline constexpr FlagSpec kApplied{"--applied", '\0', "",
                                   "show what the ledger recorded when it was applied; needs the database but no files"};
inline constexpr std::array kShowFlags{kApplied};
inline constexpr std::array kUpgradeExamples{
    Example{"athanor upgrade head", "apply everything that is pending"},
    Example{"athanor upgrade +1", "apply the next revision only"},
    Example{"athanor upgrade billing@head", "bring one branch to its head"},
    Example{"athanor upgrade head --backup", "take and verify a backup first"},
    Example{"athanor upgrade 1975ea:head --sql > up.sql", "write the SQL of a range, to be run with psql"},
};
inline constexpr std::array kDowngradeExamples{
    Example{"athanor downgrade -1", "undo the last revision"},
    Example{"athanor downgrade 1975ea", "go back to a revision, named by a unique prefix"},
    Example{"athanor downgrade base", "undo everything"},
    Example{"athanor downgrade head:-1 --sql", "print the SQL that undoes the last revision"},
};
inline constexpr std::array kStampFlags{FlagSpec{"--purge", '\0', "", "first delete every row of the version table"}, kSql,
                                        kTag};
inline constexpr std::array kStampExamples{
    Example{"athanor stamp head", "declare an existing schema to be up to date"},
    Example{"athanor stamp --purge 8c1f0a2b7d3e", "replace rows for revisions that no longer exist"},
};
inline constexpr std::array kEnsureFlags{kSql};
inline constexpr std::array kEnsureExamples{Example{"athanor ensure_version", "create the tables before the first upgrade"}};

inline constexpr std::array kInitFlags{
    FlagSpec{"--template", 't', "NAME", "accepted for compatibility with Alembic; only \"generic\" exists"},
    FlagSpec{"--package", '\0', "", "accepted for compatibility with Alembic; has no effect"},
};
inline constexpr std::array kInitExamples{
    Example{"athanor init", "athanor.yaml here, migrations/versions/ for the revisions"},
    Example{"athanor init db", "the same with db/versions/"},
};
inline constexpr FlagSpec kStyle{
    "--style", '\0', "online|plain",
    "online: CONCURRENTLY, NOT VALID and VALIDATE, several steps (default); plain: one transaction, but for new enum labels"};
inline constexpr FlagSpec kRename{"--rename", '\0', "OLD=NEW",
                                  "a table (shop.users=shop.customers) or column (shop.users.mail=shop.users.email) is renamed",
                                  true};
inline constexpr FlagSpec kPython{
    "--python", '\0', "PROGRAM", "Python that reads the models (default: from $VIRTUAL_ENV, .venv, PATH)", false, File};
inline constexpr FlagSpec kSchemaFilter{"--schema", '\0', "PATTERN", "only schemas with this name; * and ? are wildcards",
                                        true};
inline constexpr FlagSpec kExcludeSchema{"--exclude-schema", '\0', "PATTERN", "leave out these schemas", true};
inline constexpr FlagSpec kTableFilter{"--table", '\0', "PATTERN",
                                       "only these tables and views: schema.name, or the name alone", true};
inline constexpr FlagSpec kExcludeTable{"--exclude-table", '\0', "PATTERN", "leave out these tables and views", true};
inline constexpr FlagSpec kOwners{"--owners", '\0', "", "include owners"};
inline constexpr FlagSpec kPrivileges{"--privileges", '\0', "", "include grants"};

inline constexpr std::array kInspectFlags{
    FlagSpec{"--format", '\0', "sql|mermaid|svg", "SQL that creates the schema, or an entity diagram (--json gives the facts)"},
    kSchemaFilter,
    kExcludeSchema,
    kTableFilter,
    kExcludeTable,
    kOwners,
    kPrivileges,
    kPython};
inline constexpr std::array kInspectExamples{
    Example{"athanor inspect", "the database, as SQL that creates it"},
    Example{"athanor inspect --schema shop --json", "one schema, as facts"},
    Example{"athanor inspect db/schema.sql", "what a file means, as the server prints it"},
    Example{"athanor inspect --format mermaid", "tables and foreign keys, for a Markdown page"},
    Example{"athanor inspect --format svg > schema.svg", "the same as a picture"},
};
inline constexpr std::array kDiffFlags{
    FlagSpec{"--format", '\0', "sql|summary", "statements, or one line per change (--json has both)"},
    kStyle,
    kRename,
    kSchemaFilter,
    kExcludeSchema,
    kTableFilter,
    kExcludeTable,
    kOwners,
    kPrivileges,
    kPython};
inline constexpr std::array kDiffExamples{
    Example{"athanor diff database desired", "what takes the database to the desired schema"},
    Example{"athanor diff head desired --format summary", "what is in the models but in no revision"},
    Example{"athanor diff 8c1f head", "what the revisions in between change"},
    Example{"athanor diff old.sql new.sql", "two schema files"},
};
inline constexpr std::array kDriftFlags{FlagSpec{"--against", '\0', "ledger|revisions",
                                                 "compare with the schema recorded after the last run, or with the one that "
                                                 "the revisions create (default: ledger, if it has a record)"},
                                        FlagSpec{"--accept", '\0', "", "record the current schema as the expected one"},
                                        kSchemaFilter,
                                        kExcludeSchema,
                                        kTableFilter,
                                        kExcludeTable,
                                        kOwners,
                                        kPrivileges};
inline constexpr std::array kDriftExamples{
    Example{"athanor drift", "exit code 15 when somebody changed the database by hand"},
    Example{"athanor drift --against revisions", "what is in the database but in no revision"},
    Example{"athanor drift --accept", "the change by hand was intended"},
};
inline constexpr std::array kRehearseFlags{
    FlagSpec{"--backup", '\0', "FILE|ID|latest",
             "restore this backup, with its rows, instead of copying the schema; `latest` is the newest verified backup at the "
             "current revision"},
    kBackupFolder,
};
inline constexpr std::array kRehearseExamples{
    Example{"athanor rehearse", "everything that is pending"},
    Example{"athanor rehearse --backup latest", "on the rows of the newest backup, which tests the backup too"},
    Example{"athanor rehearse 8c1f --json", "up to a revision, with output for programs"},
};
inline constexpr std::array kTestExamples{Example{"athanor test", "before a merge, on a laptop or in CI"}};

inline constexpr std::array kVerifyFlags{
    FlagSpec{"--timeout", '\0', "DURATION", "time limit for each query (default: 20s)"},
    FlagSpec{"--show-values", '\0', "", "print the values found where they differ from the expected ones"},
};
inline constexpr std::array kVerifyExamples{
    Example{"athanor verify", "the queries of the folder verify/"},
    Example{"athanor verify checks/orders.sql --json", "after a change, for a pipeline"},
};

inline constexpr std::array kRevisionFlags{
    kMessage,
    FlagSpec{"--head", '\0', "REV", "parent of the new revision (default: the only head)", true, Revision},
    kSplice,
    kBranchLabel,
    kVersionPath,
    kRevId,
    FlagSpec{"--depends-on", '\0', "REV", "a revision that must be applied before this one", true, Revision},
    FlagSpec{"--autogenerate", '\0', "", "write the SQL that takes the schema to the desired one, and prove it"},
    FlagSpec{"--sql", '\0', "", "with --autogenerate: print the SQL without writing or proving it"},
    FlagSpec{"--phases", '\0', "expand,contract",
             "with --autogenerate: write two revisions on two branches, one with the changes that are safe for old application "
             "code, one with those that break it"},
    kStyle,
    FlagSpec{"--from", '\0', "revisions|database",
             "with --autogenerate: where the current schema comes from (default: all revisions; the database, if any revision "
             "is Python)"},
    kRename,
    kPython,
};
inline constexpr std::array kRevisionExamples{
    Example{"athanor revision -m \"Add email to users\"", "a new file on top of the head"},
    Example{"athanor revision --autogenerate -m \"Add email to users\"", "with the difference to the models, proven"},
    Example{"athanor revision --autogenerate --phases expand,contract -m \"Split names\"", "in two, for a rolling deployment"},
    Example{"athanor revision -m \"Start billing\" --head base --branch-label billing", "a new branch"},
    Example{"athanor revision -m \"Invoice numbers\" --head billing@head --depends-on 8c1f", "on a branch, after another"},
};
inline constexpr std::array kMergeFlags{kMessage, kBranchLabel, kRevId, kSplice, kVersionPath};
inline constexpr std::array kMergeExamples{
    Example{"athanor merge heads -m \"Join billing and shop\"", "one revision with every head as its parent"},
    Example{"athanor merge 8c1f 27c6 -m \"Join two lines\"", "exactly these two"},
};
inline constexpr std::array kSquashFlags{
    FlagSpec{"--to", '\0', "REV", "the last revision of the baseline (default: the only head)", false, Revision},
    kMessage,
    FlagSpec{"--dry-run", '\0', "", "prove and print the baseline; write and remove nothing"},
};
inline constexpr std::array kSquashExamples{
    Example{"athanor squash --dry-run", "what the baseline of everything would be"},
    Example{"athanor squash --to 8c1f0a2b7d3e", "everything up to a revision that all databases have"},
};
inline constexpr std::array kEditExamples{Example{"athanor edit head", "open the newest revision in $VISUAL or $EDITOR"}};

inline constexpr std::array kCurrentFlags{
    FlagSpec{"--check-heads", 'c', "", "fail (exit code 6) unless every head is applied"}};
inline constexpr std::array kCurrentExamples{
    Example{"athanor current", "the current revisions of the database"},
    Example{"athanor current --check-heads -q", "for scripts: exit code 6 when something is pending"},
};
inline constexpr std::array kHeadsFlags{
    FlagSpec{"--resolve-dependencies", '\0', "", "leave out heads that another revision depends on"}};
inline constexpr std::array kHeadsExamples{Example{"athanor heads -v", "the newest revision of every branch, in full"}};
inline constexpr std::array kBranchesExamples{Example{"athanor branches", "where history forks"}};
inline constexpr std::array kHistoryFlags{
    FlagSpec{"--rev-range", 'r', "START:END", "only this part; either end may be left out, or be `current`", false, Revision},
    FlagSpec{"--indicate-current", 'i', "", "mark the current revisions (needs the database)"},
    kApplied,
};
inline constexpr std::array kHistoryExamples{
    Example{"athanor history", "every revision, newest first"},
    Example{"athanor history -r current: -i", "what is newer than the database"},
};
inline constexpr std::array kShowExamples{Example{"athanor show 8c1f", "one revision in full, by a unique prefix"},
                                          Example{"athanor show 8c1f --applied", "the text that was run, from the ledger"}};

inline constexpr std::array kCheckFlags{
    FlagSpec{"--drift", '\0', "", "also compare the live schema with the one its revisions create"}, kPython};
inline constexpr std::array kCheckExamples{
    Example{"athanor check", "exit code 6: revisions are pending; 14: the models are ahead of them; 0: neither"},
    Example{"athanor check --drift", "exit code 15 when the database differs from what its revisions create"},
};
inline constexpr std::array kPlanFlags{
    FlagSpec{"--from", '\0', "REV[,REV...]",
             "rows of the version table to start from; `base` for none (default: read from the database)", true, Revision},
    FlagSpec{"--show-sql", '\0', "", "show the statements of every step, and the hash of the plan"},
    FlagSpec{"--lint", '\0', "", "show what lint finds in the statements; the exit code stays 0"},
    FlagSpec{"--markdown", '\0', "",
             "Markdown for a pull request comment: destructive statements, lint findings, collapsed SQL"},
    kVerify,
    kReport,
};
inline constexpr std::array kPlanExamples{
    Example{"athanor plan upgrade head", "what an upgrade of this database would do"},
    Example{"athanor plan downgrade -1 --show-sql", "with the statements"},
    Example{"athanor plan to 8c1f", "up or down, as the operator would go"},
    Example{"athanor plan upgrade head --markdown > plan.md", "for a pull request"},
    Example{"athanor plan upgrade head --from base --migrations db/versions --json", "without any database"},
};
inline constexpr std::array kLintFlags{
    FlagSpec{"--format", '\0', "text|json|sarif|github", "how findings are printed (default: text); json is --json"},
    FlagSpec{"--fail-on", '\0', "error|warning|info|never", "lowest level of findings that fail the command (default: error)"},
    FlagSpec{"--database", '\0', "", "read table sizes from the database and ignore small tables"},
    FlagSpec{"--downgrade", '\0', "", "lint the downgrades instead of the upgrades"},
    FlagSpec{"--single-transaction", '\0', "", "treat each SQL file as one transaction, as psql -1 does"},
    FlagSpec{"--postgres", '\0', "VERSION", "major version of the server, instead of lint.postgres (default: the oldest, 14)"},
    FlagSpec{"--list-rules", '\0', "", "list every rule, one per line"},
    FlagSpec{"--explain", '\0', "RULE", "explain a rule; `all` explains every rule"},
};
inline constexpr std::array kLintExamples{
    Example{"athanor lint", "the revisions pending in the database; without a database, the newest of every branch"},
    Example{"athanor lint 8c1f 1975ea:head", "a revision, and a range of them"},
    Example{"athanor lint db/changes/*.sql --fail-on warning", "plain SQL files"},
    Example{"athanor lint --format sarif > lint.sarif", "for code scanning"},
    Example{"athanor lint --explain index-create", "why, and what to do instead"},
};
inline constexpr std::array kGraphFlags{
    FlagSpec{"--dot", '\0', "", "the graph as Graphviz text"},
    FlagSpec{"--svg", '\0', "", "the graph as a drawing"},
};
inline constexpr std::array kGraphExamples{
    Example{"athanor graph --svg > graph.svg", "a picture for the wiki"},
    Example{"athanor graph --json", "heads, bases, branch points, merge points, labels and history"},
};
inline constexpr std::array kStatusFlags{FlagSpec{"--last", '\0', "N", "how many rows of the ledger to show (default 10)"}};
inline constexpr std::array kStatusExamples{
    Example{"athanor status", "the current and pending revisions, who holds the lock, the last runs"}};
inline constexpr std::array kRepairFlags{
    FlagSpec{"--accept", '\0', "REV", "accept the changed file of this applied revision", true, Revision},
    FlagSpec{"--all", '\0', "", "accept every changed file"},
    FlagSpec{"--step", '\0', "done|redo|abandon",
             "how the interrupted statement of a half-applied revision ended: it took effect (done), it did not (redo), or its "
             "traces were removed by hand (abandon)"},
};
inline constexpr std::array kRepairExamples{
    Example{"athanor repair", "list applied revisions whose file changed, and a half-applied one"},
    Example{"athanor repair --accept 8c1f0a2b7d3e", "the change was deliberate and has no effect"},
    Example{"athanor repair --step redo", "the interrupted statement did not take effect"},
};
inline constexpr std::array kBackupFlags{
    kBackupFolder,
    kAcceptMaxAge,
    FlagSpec{"--compression", '\0', "0..9", "as pg_dump -Z (default: backup.compression, 6)"},
};
inline constexpr std::array kBackupExamples{
    Example{"athanor backup", "into backup.folder of athanor.yaml"},
    Example{"athanor backup --backup-folder /var/backups/shop", "into this folder"},
    Example{"athanor backup --accept-max-age 1h", "unless there is one of the current revision from the last hour"},
};
inline constexpr std::array kBackupsFlags{
    kBackupFolder,
    FlagSpec{"--catalogue", '\0', "",
             "list the backups recorded in the database, including deleted ones, instead of those in the folder"},
};
inline constexpr std::array kBackupsExamples{
    Example{"athanor backups", "newest first"},
    Example{"athanor backups --json", "with checksums, revisions and ages"},
};
inline constexpr std::array kVerifyBackupFlags{kBackupFolder};
inline constexpr std::array kVerifyBackupExamples{
    Example{"athanor verify-backup 3f1c", "by a unique prefix of its id"},
    Example{"athanor verify-backup /var/backups/shop/shop-20261121T021000Z-8c1f0a2b7d3e-3f1c.dump", "by its file"},
};
inline constexpr std::array kRestoreFlags{
    FlagSpec{"--into", '\0', "NAME", "a new database on the server of DATABASE_URL"},
    FlagSpec{"--replace", '\0', "", "replace the database of DATABASE_URL, which is kept under another name"},
    FlagSpec{"--confirm", '\0', "NAME", "name of the database to replace, as confirmation"},
    FlagSpec{"--drop-previous", '\0', "", "do not keep the replaced database"},
    FlagSpec{"--jobs", '\0', "N", "tables to restore in parallel, as pg_restore -j (default: 1)"},
    kBackupFolder,
};
inline constexpr std::array kRestoreExamples{
    Example{"athanor restore 3f1c --into shop_yesterday", "beside the database, for inspection"},
    Example{"athanor restore 3f1c --replace --confirm shop", "instead of it; the old one becomes shop_before_<time>"},
};
inline constexpr std::array kPruneFlags{
    FlagSpec{"--keep", '\0', "N", "number of backups of the database to keep (default: backup.keep)"},
    FlagSpec{"--max-age", '\0', "DURATION", "delete backups older than this (default: backup.max_age)"},
    FlagSpec{"--dry-run", '\0', "", "only print what would be deleted"},
    kBackupFolder,
};
inline constexpr std::array kPruneExamples{
    Example{"athanor prune --keep 7 --dry-run", "what keeping seven backups would delete"},
    Example{"athanor prune --max-age 30d", "but never the newest verified one"},
};
inline constexpr std::array kImportFlags{
    FlagSpec{"--output", 'o', "DIR", "where the files go (default: beside Alembic's versions folder, in versions_sql)", false,
             Folder},
    FlagSpec{"--partial", '\0', "", "write the revisions that can be rendered even if others cannot"},
    FlagSpec{"--python", '\0', "PATH",
             "Python that has the project's Alembic (default: from $VIRTUAL_ENV, or that of `alembic` on PATH)", false, File},
    FlagSpec{"--alembic-config", '\0', "FILE", "alembic.ini or pyproject.toml (default: searched for in DIR and its parents)",
             false, File},
    FlagSpec{"--alembic-name", '\0', "SECTION", "section of that file, as `alembic -n`"},
    FlagSpec{"--alembic-x", '\0', "ARG", "argument for env.py, as `alembic -x`", true},
    FlagSpec{"--flask", '\0', "APP", "the application of a Flask-Migrate project, as `flask --app` (default: $FLASK_APP)"},
    FlagSpec{"--server-version", '\0', "N", "version of PostgreSQL that SQLAlchemy renders for (default: 15)"},
    FlagSpec{"--against", '\0', "URL", "empty scratch database on which to run and record revisions that query the database"},
    FlagSpec{"--check", '\0', "", "with --against: compare the databases that Alembic and Athanor create"},
};
inline constexpr std::array kImportExamples{
    Example{"athanor import alembic .", "the project of ./alembic.ini"},
    Example{"athanor import alembic app/migrations --python .venv/bin/python", "its script folder, and the Python to use"},
    Example{"athanor import alembic . --against postgresql://localhost/scratch --check", "prove it on an empty database"},
};
inline constexpr std::array kAdoptFlags{
    FlagSpec{"--output", 'o', "DIR", "where the files go (default: the first of version_locations)", false, Folder},
    FlagSpec{"--dry-run", '\0', "", "print what would be written and stamped, and do nothing"},
    FlagSpec{"--history-table", '\0', "[SCHEMA.]TABLE",
             "table in which the tool records what it applied (default: the tool's default)"},
    FlagSpec{"--placeholder", '\0', "NAME=VALUE", "value of ${NAME} in scripts of Flyway and Liquibase", true},
    FlagSpec{"--partial", '\0', "",
             "turn migrations in Go, Java and the like into revisions that fail until their SQL is written"},
    kMessage,
};
inline constexpr std::array kAdoptExamples{
    Example{"athanor adopt goose db/migrations", "write revision files, and stamp the database of DATABASE_URL"},
    Example{"athanor adopt flyway src/main/resources/db/migration --dry-run", "preview"},
    Example{"athanor adopt golang-migrate migrations --history-table ops.schema_migrations", "a table in another schema"},
};
inline constexpr std::array kWaitFlags{
    FlagSpec{"--revision", 'r', "REV", "revision to wait for; also satisfied by a descendant; may be repeated", true, Revision},
    FlagSpec{"--resource", '\0', "NAMESPACE/NAME",
             "wait for a DatabaseMigration to be Ready instead; queries Kubernetes with athanor-operator"},
    FlagSpec{"--timeout", '\0', "DURATION", "how long to wait (default: 5m; 0: check once)"},
    FlagSpec{"--interval", '\0', "DURATION", "time between two checks of the database (default: 2s)"},
    FlagSpec{"--url", '\0', "URL", "URL of the database, without a password, instead of DATABASE_URL"},
    FlagSpec{"--url-file", '\0', "FILE", "file that contains the database URL", false, File},
    FlagSpec{"--password-file", '\0', "FILE", "file that contains the password; read before each check", false, File},
};
inline constexpr std::array kWaitExamples{
    Example{"athanor wait --revision 8c1f0a2b7d3e", "until that revision or a descendant of it is applied"},
    Example{"athanor wait --revision head --migrations db", "until everything in these files is"},
};
inline constexpr std::array kCompletionExamples{
    Example{"source <(athanor completion bash)", "for this shell"},
    Example{"athanor completion fish > ~/.config/fish/completions/athanor.fish", "for every fish session"},
};
inline constexpr std::array kManExamples{Example{"athanor man | man -l -", "read the manual"}};
inline constexpr std::array kHelpExamples{Example{"athanor help upgrade", "as athanor upgrade --help"}};
inline constexpr std::array kVersionExamples{Example{"athanor version --json", "for scripts"}};

inline constexpr std::string_view kTargets =
    "A target is `head`, `heads`, `base`, an id or a unique prefix of one, a branch label, or relative: +2, -1, REV+1, "
    "LABEL@head, LABEL@+1.";
inline constexpr std::string_view kPlanTargets =
    "`to` plans a downgrade if the database is ahead of the target, otherwise an upgrade; its target cannot be relative. A "
    "target is `head`, `heads`, `base`, an id or a unique prefix of one, a branch label, or relative: +2, "
    "-1, "
    "REV+1, LABEL@head, LABEL@+1.";

inline constexpr std::string_view kOperands =
    "A schema is `database` (the configured one), `desired` (what athanor.yaml says), a URL, package.module:metadata, a SQL "
    "file "
    "or folder, or a revision (`head`, `base`, an id). All but databases are loaded into scratch databases.";

}  // namespace athanor::cli::table
