#include "migrations/cli/command_table.hpp"

#include <algorithm>
#include <array>

#include "migrations/cli/command_flags.hpp"
#include "migrations/cli/commands.hpp"

namespace athanor::cli {
namespace {

using namespace table;

constexpr std::array kCommands{
    CommandSpec{"upgrade", "apply revisions up to a target", "TARGET", 1, 1, Revision, kUpgradeFlags, kTargets,
                kUpgradeExamples, run_upgrade},
    CommandSpec{"downgrade", "undo revisions down to a target", "TARGET", 1, 1, Revision, kDowngradeFlags, kTargets,
                kDowngradeExamples, run_downgrade},
    CommandSpec{"stamp", "set the version table without running anything", "REVISION...", 1, -1, Revision, kStampFlags,
                "Records that the schema is at these revisions, without checking it.", kStampExamples, run_stamp},
    CommandSpec{"current", "show the current revisions of the database", "", 0, 0, Nothing, kCurrentFlags, "", kCurrentExamples,
                run_current},
    CommandSpec{
        "status", "show everything about the database", "", 0, 0, Nothing, kStatusFlags,
        "Rows of the version table, pending revisions, holder of the migration lock, half-applied revision, changed files "
        "and the last rows of the ledger. Changes nothing and takes no lock.",
        kStatusExamples, run_status},
    CommandSpec{
        "wait", "wait until a revision is applied", "", 0, 0, Nothing, kWaitFlags,
        "For an init container or a deployment script. Succeeds once the revision or a descendant of it is applied, according "
        "to the ledger; revision files are read only where a configuration or --migrations names them. Keeps waiting while the "
        "server is down or the version table does not exist. Changes nothing. Exit codes after the timeout: 6: not applied; 7: "
        "the database could not be queried; 10: the ledger has no record of the revision's descendants.",
        kWaitExamples, run_wait},
    CommandSpec{
        "check", "fail when something is left to do", "", 0, 0, Nothing, kCheckFlags,
        "Compares the version table with the heads on disk; then, if a desired schema is configured, the schema that the "
        "revisions create with the desired one; then, with --drift, the live schema with the one that its revisions create.",
        kCheckExamples, run_check},
    CommandSpec{"diff", "statements that take one schema to another", "FROM TO", 2, 2, File, kDiffFlags, kOperands,
                kDiffExamples, run_diff},
    CommandSpec{"drift", "find what was changed by hand", "", 0, 0, Nothing, kDriftFlags,
                "Compares the live schema with the one recorded in the ledger after the last run (ledger.keep_catalog), and "
                "otherwise with the one that the applied revisions create in an empty scratch database. Prints two sets of "
                "statements: those that undo the change, and those that would turn it into a revision.",
                kDriftExamples, run_drift},
    CommandSpec{"inspect", "show a schema", "[SCHEMA]", 0, 1, File, kInspectFlags, kOperands, kInspectExamples, run_inspect},
    CommandSpec{"test",
                "run every revision up, down and up on a scratch database",
                "",
                0,
                0,
                Nothing,
                {},
                "Compares the schema at every revision, and reports a revision whose downgrade does not restore the schema "
                "from before its upgrade. The downgrade ends at an irreversible revision.",
                kTestExamples,
                run_test},
    CommandSpec{"rehearse", "run the pending revisions on a copy of the schema", "[TARGET]", 0, 1, Revision, kRehearseFlags,
                "Builds the live schema in a scratch database, without its rows, and runs the pending revisions there. Reports "
                "for each statement the locks it takes on existing tables, the tables it rewrites, its rows and its time. Then "
                "runs them down and up again and compares the schemas. Only reads the database itself. With --backup, the copy "
                "is a restored backup.",
                kRehearseExamples, run_rehearse},
    CommandSpec{"verify", "run queries and compare their results", "[FILE...]", 0, -1, File, kVerifyFlags,
                "Each query in a file may have a comment above it: `-- expect: no rows` (the default), `-- expect: rows` for "
                "at least one row, or `-- expect: 42` for one row with this one value. All queries run in one read-only "
                "transaction. The exit code is 18 if a query fails or returns something else. Without FILE, runs the queries "
                "of the folder verify/ beside athanor.yaml.",
                kVerifyExamples, run_verify},
    CommandSpec{"plan", "show what a command would do", "upgrade|downgrade|to|stamp TARGET...", 2, -1, Operation, kPlanFlags,
                kPlanTargets, kPlanExamples, run_plan},
    CommandSpec{
        "lint", "find statements that block, break or lose something", "[REVISION|RANGE|FILE]...", 0, -1, Revision, kLintFlags,
        "Checks the SQL of revisions, or of plain SQL files, against the rules of docs/lint.md: locks, rewrites, data loss, "
        "and statements that fail. Changes nothing. A finding at or above --fail-on gives exit code 17. `-- athanor:allow RULE "
        "reason` above a statement accepts its findings of that rule; `lint:` in athanor.yaml sets levels.",
        kLintExamples, run_lint},
    CommandSpec{"history", "list revisions, newest first", "", 0, 0, Nothing, kHistoryFlags, "", kHistoryExamples, run_history},
    CommandSpec{"heads", "list the heads", "", 0, 0, Nothing, kHeadsFlags, "", kHeadsExamples, run_heads},
    CommandSpec{"branches", "list the branch points", "", 0, 0, Nothing, {}, "", kBranchesExamples, run_branches},
    CommandSpec{"show", "show one revision", "REVISION", 1, 1, Revision, kShowFlags,
                "Takes any symbol for revisions on disk: an id, a prefix, a label, `head`, `heads`, `current`.", kShowExamples,
                run_show},
    CommandSpec{"graph", "summarise or draw the revision graph", "", 0, 0, Nothing, kGraphFlags, "", kGraphExamples, run_graph},
    CommandSpec{
        "init", "start a project", "[DIR]", 0, 1, Folder, kInitFlags,
        "Writes athanor.yaml (unless there is one), DIR/versions/ and DIR/README.md. DIR must be new or empty; without it, "
        "it is `migrations`.",
        kInitExamples, run_init},
    CommandSpec{
        "revision", "write a new revision file", "", 0, 0, Nothing, kRevisionFlags,
        "The file has the header and two empty sections, for the upgrade and the downgrade. A message that says nothing "
        "(\"migration\", \"changes\", \"fix\") is refused. Hooks of post_write_hooks run afterwards.",
        kRevisionExamples, run_revision},
    CommandSpec{"merge", "write a revision that joins several", "REVISION...", 1, -1, Revision, kMergeFlags, "", kMergeExamples,
                run_merge},
    CommandSpec{"squash", "replace many revisions by one baseline", "", 0, 0, Nothing, kSquashFlags,
                "Runs the revisions on scratch databases and writes one revision that creates the same schema and the same "
                "rows; if this cannot be proven, nothing is written. The baseline keeps the id of the last revision it "
                "replaces, so databases at or past that revision need no change; a database in between is refused until it is "
                "upgraded with the files from before the squash. The replaced files are removed.",
                kSquashExamples, run_squash},
    CommandSpec{"edit",
                "open a revision in the editor",
                "REVISION",
                1,
                1,
                Revision,
                {},
                "Runs $VISUAL, or $EDITOR, or the command `editor`.",
                kEditExamples,
                run_edit},
    CommandSpec{"repair", "accept changed files, resolve a half-applied revision", "", 0, 0, Nothing, kRepairFlags,
                "Without a flag, only lists. Accepting writes the new checksums into the ledger, under the migration lock.",
                kRepairExamples, run_repair},
    CommandSpec{"backup", "take a backup and verify it", "", 0, 0, Nothing, kBackupFlags,
                "Runs pg_dump, reads the file back, decodes all of it, and only then gives it its final name. Waits while "
                "another dump of the database runs.",
                kBackupExamples, run_backup},
    CommandSpec{"backups", "list backups, newest first", "", 0, 0, Nothing, kBackupsFlags, "", kBackupsExamples, run_backups},
    CommandSpec{"verify-backup", "read a backup from end to end", "FILE|ID", 1, 1, File, kVerifyBackupFlags,
                "Compares the checksum and decodes every block. Needs no database.", kVerifyBackupExamples, run_verify_backup},
    CommandSpec{"restore", "restore a database from a backup", "FILE|ID", 1, 1, File, kRestoreFlags,
                "Verifies the backup, restores it into a new database, compares, and renames that database last. Refused while "
                "another run holds the migration lock.",
                kRestoreExamples, run_restore},
    CommandSpec{
        "prune", "delete old backups", "", 0, 0, Nothing, kPruneFlags,
        "Only backups of the database of DATABASE_URL, only files that Athanor made, and never the newest verified one.",
        kPruneExamples, run_prune},
    CommandSpec{
        "import", "convert Alembic's revisions to SQL files", "alembic DIR", 2, 2, Folder, kImportFlags,
        "Runs the project's own Alembic in one Python process, and writes the SQL that each upgrade() and downgrade() sends "
        "into a revision file of the same name. Keeps ids, parents, labels, dependencies and dates, so a database stays at its "
        "revision. Needs no database: if a revision queries one, the command reports file, line and reason and writes nothing, "
        "unless --against gives an empty database to record it on. Never changes existing files.",
        kImportExamples, run_import},
    CommandSpec{"adopt", "take over from another migration tool", "TOOL DIR | database", 1, 2, Folder, kAdoptFlags,
                "TOOL is goose, dbmate, golang-migrate, flyway, liquibase, rails, atlas or prisma; for Alembic see `import`. "
                "`adopt database` is for a database that no tool has migrated: its schema becomes the first revision. Every "
                "migration of the folder becomes a revision file, in one linear history. The database of DATABASE_URL is "
                "stamped at the last revision in the tool's history table, under the migration lock, and the ledger records "
                "it. Nothing is run, and the tool's table is left unchanged. If the tool left a migration unfinished, skipped "
                "one or applied a file that has changed since, the command refuses and says how to repair it. Running it again "
                "changes nothing; run it once for each database.",
                kAdoptExamples, run_adopt},
    CommandSpec{"ensure_version", "create the version table and the ledger", "", 0, 0, Nothing, kEnsureFlags, "",
                kEnsureExamples, run_ensure_version},
    CommandSpec{
        "completion", "print a completion script", "bash|zsh|fish", 1, 1, Shell, {}, "", kCompletionExamples, run_completion},
    CommandSpec{"man", "print the manual page", "", 0, 0, Nothing, {}, "", kManExamples, run_man},
    CommandSpec{"help", "print help", "[VERB]", 0, 1, Verb, {}, "", kHelpExamples, run_help},
    CommandSpec{"version", "print the version", "", 0, 0, Nothing, {}, "", kVersionExamples, run_version},
};

using Verbs = std::string_view;
constexpr std::array kChanging{Verbs("upgrade"), Verbs("downgrade"), Verbs("stamp"), Verbs("repair"), Verbs("ensure_version")};
constexpr std::array kLooking{Verbs("plan"),     Verbs("lint"), Verbs("status"),  Verbs("current"),
                              Verbs("check"),    Verbs("wait"), Verbs("history"), Verbs("heads"),
                              Verbs("branches"), Verbs("show"), Verbs("graph")};
constexpr std::array kSchemas{Verbs("inspect"),  Verbs("diff"), Verbs("drift"),
                              Verbs("rehearse"), Verbs("test"), Verbs("verify")};
constexpr std::array kWriting{Verbs("init"),   Verbs("revision"), Verbs("merge"), Verbs("edit"),
                              Verbs("import"), Verbs("adopt"),    Verbs("squash")};
constexpr std::array kSaving{Verbs("backup"), Verbs("backups"), Verbs("verify-backup"), Verbs("restore"), Verbs("prune")};
constexpr std::array kAbout{Verbs("help"), Verbs("version"), Verbs("man"), Verbs("completion")};
constexpr std::array kGroups{
    CommandGroup{"change a database", kChanging},
    CommandGroup{"inspect revisions", kLooking},
    CommandGroup{"inspect schemas", kSchemas},
    CommandGroup{"write revisions", kWriting},
    CommandGroup{"back up", kSaving},
    CommandGroup{"about this program", kAbout},
};

bool same_verb(std::string_view typed, std::string_view name) {
  return std::ranges::equal(typed, name,
                            [](char a, char b) { return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_')); });
}

}  // namespace

std::span<const CommandSpec> commands() {
  return kCommands;
}

std::span<const CommandGroup> command_groups() {
  return kGroups;
}

std::span<const FlagSpec> global_flags() {
  return kGlobalFlags;
}

const CommandSpec* find_command(std::string_view name) {
  const auto found = std::ranges::find_if(kCommands, [&](const CommandSpec& command) { return same_verb(name, command.name); });
  return found == kCommands.end() ? nullptr : &*found;
}

}  // namespace athanor::cli
