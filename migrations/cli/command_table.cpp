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
                "Says that the schema is at these revisions. Nothing checks that it is true.", kStampExamples, run_stamp},
    CommandSpec{"current", "show what the database is at", "", 0, 0, Nothing, kCurrentFlags, "", kCurrentExamples, run_current},
    CommandSpec{
        "status", "show everything about the database", "", 0, 0, Nothing, kStatusFlags,
        "Rows of the version table, pending revisions, holder of the migration lock, half-applied revision, changed files "
        "and the last rows of the ledger. Changes nothing and takes no lock.",
        kStatusExamples, run_status},
    CommandSpec{
        "wait", "wait until a revision is applied", "", 0, 0, Nothing, kWaitFlags,
        "For whatever must not start before: an init container, a deployment script. Passes when the revision or a descendant "
        "of it is applied, by what the ledger recorded; revision files are read only where a configuration or --migrations "
        "names "
        "them. Goes on while the server is down or the version table is not there yet. Reads, and changes nothing. When the "
        "time is over, exit code 6: not applied; 7: the database could not be asked; 10: it cannot tell descent.",
        kWaitExamples, run_wait},
    CommandSpec{
        "check", "fail when something is left to do", "", 0, 0, Nothing, kCheckFlags,
        "Compares the version table with the heads on disk; then, if a desired schema is configured, what the revisions "
        "make with what is desired; then, with --drift, the live schema with what its revisions make.",
        kCheckExamples, run_check},
    CommandSpec{"diff", "statements that take one schema to another", "FROM TO", 2, 2, File, kDiffFlags, kOperands,
                kDiffExamples, run_diff},
    CommandSpec{"drift", "find what was changed by hand", "", 0, 0, Nothing, kDriftFlags,
                "Compares the live schema with the one that the last run left, where the ledger recorded it "
                "(ledger.keep_catalog), and otherwise with what the applied revisions make of an empty scratch database. "
                "Prints the statements both ways: those that undo the change, and those that would make it a revision.",
                kDriftExamples, run_drift},
    CommandSpec{"inspect", "show a schema", "[SCHEMA]", 0, 1, File, kInspectFlags, kOperands, kInspectExamples, run_inspect},
    CommandSpec{"test",
                "run every revision up, down and up on a scratch database",
                "",
                0,
                0,
                Nothing,
                {},
                "Compares the schema at every revision, and names the revision whose downgrade does not lead back to where its "
                "upgrade started. The way down ends at an irreversible revision.",
                kTestExamples,
                run_test},
    CommandSpec{
        "rehearse", "run what an upgrade would run on a copy of the schema", "[TARGET]", 0, 1, Revision, kRehearseFlags,
        "Builds the live schema in a scratch database, without its rows, and runs the pending revisions there: each "
        "statement with the locks it takes on tables that are there already, the tables it rewrites, rows and time. "
        "Then down and up again, with the schemas compared. The database itself is only read. With --backup the copy is a "
        "restored backup.",
        kRehearseExamples, run_rehearse},
    CommandSpec{
        "verify", "run queries and compare their results", "[FILE...]", 0, -1, File, kVerifyFlags,
        "A file holds queries. `-- expect: no rows` above one is what is expected where nothing is said; `-- expect: rows` is "
        "at "
        "least one row, `-- expect: 42` one row with this one value. All run in one read-only transaction. One that answers "
        "otherwise, or fails, gives exit code 18. Without FILE, those of the folder verify/ beside athanor.yaml.",
        kVerifyExamples, run_verify},
    CommandSpec{"plan", "show what a command would do", "upgrade|downgrade|to|stamp TARGET...", 2, -1, Operation, kPlanFlags,
                kPlanTargets, kPlanExamples, run_plan},
    CommandSpec{
        "lint", "find what blocks, breaks or loses something", "[REVISION|RANGE|FILE]...", 0, -1, Revision, kLintFlags,
        "Judges the SQL of revisions, or of plain SQL files, by the rules of docs/lint.md: locks, rewrites, losses, and "
        "statements that fail. Changes nothing. A finding at or above --fail-on gives exit code 17. `-- athanor:allow RULE "
        "reason` above a statement says that it is meant; levels are set in `lint:` of athanor.yaml.",
        kLintExamples, run_lint},
    CommandSpec{"history", "list revisions, newest first", "", 0, 0, Nothing, kHistoryFlags, "", kHistoryExamples, run_history},
    CommandSpec{"heads", "list the heads", "", 0, 0, Nothing, kHeadsFlags, "", kHeadsExamples, run_heads},
    CommandSpec{"branches", "list the branch points", "", 0, 0, Nothing, {}, "", kBranchesExamples, run_branches},
    CommandSpec{"show", "show one revision", "REVISION", 1, 1, Revision, kShowFlags,
                "Any symbol that means revisions on disk: an id, a prefix, a label, `head`, `heads`, `current`.", kShowExamples,
                run_show},
    CommandSpec{"graph", "summarise or draw the revision graph", "", 0, 0, Nothing, kGraphFlags, "", kGraphExamples, run_graph},
    CommandSpec{
        "init", "start a project", "[DIR]", 0, 1, Folder, kInitFlags,
        "Writes athanor.yaml (unless there is one), DIR/versions/ and DIR/README.md. DIR must be new or empty; without it, "
        "it is `migrations`.",
        kInitExamples, run_init},
    CommandSpec{"revision", "write a new revision file", "", 0, 0, Nothing, kRevisionFlags,
                "The file has the header and two empty sections, for the way up and the way down. A message that says nothing "
                "(\"migration\", \"changes\", \"fix\") is refused. Hooks of post_write_hooks run afterwards.",
                kRevisionExamples, run_revision},
    CommandSpec{"merge", "write a revision that joins several", "REVISION...", 1, -1, Revision, kMergeFlags, "", kMergeExamples,
                run_merge},
    CommandSpec{
        "squash", "replace many revisions by one baseline", "", 0, 0, Nothing, kSquashFlags,
        "Runs the revisions on scratch databases, and writes one revision that makes the same schema and the same rows; "
        "proven, "
        "or nothing is written. The baseline keeps the id of the last revision it replaces, so a database at or past it is at "
        "the baseline; one in the middle is refused until it was upgraded with the files before the squash. The replaced files "
        "are removed.",
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
    CommandSpec{
        "backup", "take a backup and verify it", "", 0, 0, Nothing, kBackupFlags,
        "Runs pg_dump, reads the file back, decodes all of it, and only then gives it its name. Waits while another dump "
        "of the database runs.",
        kBackupExamples, run_backup},
    CommandSpec{"backups", "list backups, newest first", "", 0, 0, Nothing, kBackupsFlags, "", kBackupsExamples, run_backups},
    CommandSpec{"verify-backup", "read a backup from end to end", "FILE|ID", 1, 1, File, kVerifyBackupFlags,
                "Compares the checksum and decodes every block. Needs no database.", kVerifyBackupExamples, run_verify_backup},
    CommandSpec{
        "restore", "make a database from a backup", "FILE|ID", 1, 1, File, kRestoreFlags,
        "Verifies the backup, restores it into a database of its own, compares, and gives it its name at the end. Refused "
        "while another run holds the migration lock.",
        kRestoreExamples, run_restore},
    CommandSpec{
        "prune", "delete old backups", "", 0, 0, Nothing, kPruneFlags,
        "Only backups of the database of DATABASE_URL, only files that Athanor made, and never the newest verified one.",
        kPruneExamples, run_prune},
    CommandSpec{
        "import", "make revision files from Alembic's", "alembic DIR", 2, 2, Folder, kImportFlags,
        "Runs the project's own Alembic, one Python process for all revisions, and writes what each upgrade() and downgrade() "
        "sends into a revision file of the same name. Ids, parents, labels, dependencies and dates are kept, so a database "
        "stays at its revision. No database is asked. A revision that needs one is named with file, line and reason, and then "
        "nothing is written, unless --against gives an empty one to record it on. Files that are there are never changed.",
        kImportExamples, run_import},
    CommandSpec{
        "adopt", "take over from another migration tool", "TOOL DIR | database", 1, 2, Folder, kAdoptFlags,
        "TOOL is goose, dbmate, golang-migrate, flyway, liquibase, rails, atlas or prisma; for Alembic see `import`. `adopt "
        "database` is for one that no tool migrated: its schema becomes the first revision. Every "
        "migration of the folder becomes a "
        "revision file, in one line; the database of DATABASE_URL is stamped at the revision that the tool's history table "
        "says, under the migration lock, and the ledger says so. Nothing is run, and the tool's table stays as it is. A "
        "database that the tool left half-way, with a gap or with a changed file is refused, with the way out. Running it "
        "again "
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
    CommandGroup{"change a database", kChanging}, CommandGroup{"look", kLooking},   CommandGroup{"look at schemas", kSchemas},
    CommandGroup{"write revisions", kWriting},    CommandGroup{"back up", kSaving}, CommandGroup{"this program", kAbout},
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
