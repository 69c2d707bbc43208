#include "migrations/execute/database_state.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <span>
#include <string_view>

#include "migrations/execute/migration_lock.hpp"
#include "migrations/execute/version_column.hpp"
#include "migrations/revision/revision_id.hpp"
#include "migrations/session/pooler.hpp"
#include "migrations/session/session_reset.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

template <class Number>
Number number(const std::string& text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The last row is where the revision stopped. "intent" and "running" mean inside a step, "done" after a statement of an
// autocommit step, "complete" after a whole step.
UnfinishedStep unfinished_from(const Rows& rows) {
  const std::size_t last = rows.rows.size() - 1;
  UnfinishedStep step;
  step.revision = rows.text(last, 0);
  step.direction = rows.text(last, 1) == "downgrade" ? Direction::Downgrade : Direction::Upgrade;
  step.step = number<int>(rows.text(last, 2));
  step.statement = number<int>(rows.text(last, 3));
  const std::string state = rows.text(last, 4);
  step.intent = state == "intent";
  step.before = rows.text(last, 5);
  step.cursor = rows.cell(last, 6);
  step.rows = number<std::int64_t>(rows.text(last, 7));
  for (std::size_t i = 0; i <= last; ++i) {
    if (rows.text(i, 0) == step.revision && rows.text(i, 1) == rows.text(last, 1)) {
      // A batch step's row is inserted before its first batch, so the cursor is NULL until a batch is done.
      const bool begun = rows.text(i, 4) == "running" && !rows.cell(i, 6);
      step.parts.push_back(
          {number<int>(rows.text(i, 2)), number<int>(rows.text(i, 3)), begun ? "begun" : rows.text(i, 4), rows.text(i, 8)});
    }
  }
  if (state == "complete") {
    ++step.step;
    step.statement = 0;
    step.cursor.reset();
    step.rows = 0;
  } else if (state == "done") {
    ++step.statement;
  }
  return step;
}

// Identifies the version table by the schema in which it is, or would be created, so that every search_path that reaches it
// gives the same result. The server truncates names itself. A fresh backend pays for every catalog a query joins and for every
// operator and cast it resolves, so the query returns plain columns and version_schema_in() combines them.
std::string what_is_there(Scrutiny scrutiny) {
  // to_regclass() yields NULL for a missing table, where a cast would be an error.
  const auto name = [](int parameter) { return "pg_catalog.to_regclass($" + std::to_string(parameter) + ")"; };
  return "SELECT " + table_facts(name(1), scrutiny) + ", " + table_facts(name(2), scrutiny) + ", " +
         table_facts(name(3), scrutiny) + ", " + untrusted_schema_owner("pg_catalog.to_regnamespace($4)", scrutiny) +
         ", pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(),"
         " (pg_catalog.pg_identify_object(1259, pg_catalog.to_regclass($1), 0)).schema, $5::pg_catalog.name,"
         " pg_catalog.current_schema(), $6::pg_catalog.name, current_user, pg_catalog.current_setting('is_superuser'), " +
         table_facts(name(7), scrutiny);
}
enum Column {
  VersionTableFacts,
  HistoryFacts,
  StepFacts,
  LedgerSchemaOwner,
  BackendPid,
  InRecovery,
  FoundSchema,
  NamedSchema,
  FirstSchema,
  TableName,
  CurrentUser,
  IsSuperuser,
  CatalogFacts
};
// Identifies one running server, however it is reached: two servers with the same files cannot have started in the same
// microsecond. A copy of the files that runs elsewhere counts as another server.
constexpr std::string_view kWhichDatabase =
    ", pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()), pg_catalog.current_database()";
constexpr std::string_view kWhichFiles = ", (pg_catalog.pg_control_system()).system_identifier";
enum IdentityColumn { StartedAt = CatalogFacts + 1, DatabaseName, SystemIdentifier };

std::string question(bool identify, Scrutiny scrutiny = Scrutiny::DoubtOnly) {
  static const std::string quick = what_is_there(Scrutiny::DoubtOnly);
  static const std::string full = what_is_there(Scrutiny::Full);
  return (scrutiny == Scrutiny::Full ? full : quick) + std::string(identify ? kWhichDatabase : "");
}

// Whether a DoubtOnly check cannot decide if our tables are really ours.
bool leaves_doubt(const Rows& what) {
  const auto doubtful = [&](Column column) { return read_table_facts(what.cell(0, column)).problem == kDoubt; };
  return doubtful(VersionTableFacts) || doubtful(HistoryFacts) || doubtful(StepFacts) ||
         !what.text(0, LedgerSchemaOwner).empty();
}

// The names of our tables as parameters. The configured name of the version table resolves through search_path each time.
Parameters names_in(const MigratorSettings& settings, const Ledger& ledger) {
  // Even naming a table in a schema without USAGE would be an error, so a NULL takes the place of the ledger's names.
  const auto of_ledger = [&settings](std::string name) {
    return settings.reads_ledger ? Parameter(std::move(name)) : std::nullopt;
  };
  return {qualified_name(settings.version_table_schema, settings.version_table),
          of_ledger(ledger.history().name()),
          of_ledger(ledger.steps().name()),
          of_ledger(quote_identifier(settings.ledger_schema)),
          settings.version_table_schema,
          settings.version_table,
          of_ledger(ledger.catalog())};
}

// EXECUTE on pg_control_system() can be revoked, which hides the system identifier. Then the identity does without it.
Result<Rows> ask(Session& session, const Parameters& parameters, bool identify, Scrutiny scrutiny) {
  if (identify) {
    auto answer = session.query(question(true, scrutiny) + std::string(kWhichFiles), parameters);
    if (answer || answer.error().sqlstate.empty() || !session.alive()) {
      return answer;
    }
  }
  return session.query(question(identify, scrutiny), parameters);
}

struct Answer {
  Rows what;
  Scrutiny scrutiny = Scrutiny::DoubtOnly;
};

Result<Answer> ask(Session& session, const Parameters& parameters, bool identify) {
  TRY_ASSIGN(Rows what, ask(session, parameters, identify, Scrutiny::DoubtOnly));
  if (!leaves_doubt(what)) {
    return Answer{std::move(what)};
  }
  TRY_ASSIGN(what, ask(session, parameters, identify, Scrutiny::Full));
  return Answer{std::move(what), Scrutiny::Full};
}

// The schema in which the version table is or would be created; empty when search_path names no existing schema.
std::string version_schema_in(const Rows& what) {
  // pg_identify_object() quotes the name where SQL requires it.
  std::string schema = identifier_name(what.text(0, FoundSchema));
  for (const auto column : {NamedSchema, FirstSchema}) {
    if (schema.empty()) {
      schema = what.text(0, column);
    }
  }
  return schema;
}

// "app.alembic_version".
std::string version_table_in(const Rows& what) {
  return version_schema_in(what) + "." + what.text(0, TableName);
}

// "1795293032.152797/app/7710724856117241789#public.alembic_version"; without the system identifier where it is hidden.
std::string identity_in(const Rows& what) {
  std::string identity = what.text(0, StartedAt) + "/" + what.text(0, DatabaseName);
  if (what.cell(0, SystemIdentifier)) {
    identity += "/" + what.text(0, SystemIdentifier);
  }
  return identity + "#" + version_table_in(what);
}

Error malformed_answer() {
  return Error(ErrorCode::DatabaseUnreachable,
               "unexpected response from the server: it is not PostgreSQL, or something between changes its responses")
      .advise("check host and port of DATABASE_URL");
}

// Fills the state's tables. Returns UntrustedTable when even reading a table would run another role's code; sets
// state.untrusted when only writing must be refused. For a superuser nothing is read: another owner could replace the table by
// a view between check and read, and its code would run as superuser.
Result<void> check_tables(const Rows& what, Scrutiny scrutiny, const MigratorSettings& settings, DatabaseState& state) {
  // A proxy, or a server that is not PostgreSQL, may return any shape.
  if (what.rows.size() != 1 || what.rows.front().size() <= CatalogFacts || what.text(0, CurrentUser).empty()) {
    return fail(malformed_answer());
  }
  const std::string migrator = what.text(0, CurrentUser);
  const bool superuser = what.text(0, IsSuperuser) == "on";
  const TableFacts version = read_table_facts(what.cell(0, VersionTableFacts));
  const TableFacts history = read_table_facts(what.cell(0, HistoryFacts));
  const TableFacts step = read_table_facts(what.cell(0, StepFacts));
  const std::string ledger = settings.ledger_schema;
  const std::array<std::pair<const TableFacts*, std::string>, 3> tables{
      {{&version, "the version table " + version_table_in(what)},
       {&history, "the ledger's table " + ledger + ".history"},
       {&step, "the ledger's table " + ledger + ".step"}}};
  for (const auto& [facts, name] : tables) {
    if (facts->exists() && !facts->problem.empty()) {
      Error error = untrusted_table(name, *facts, migrator);
      if (superuser || !facts->can_be_read()) {
        return fail(std::move(error));
      }
      state.untrusted = std::move(error);
    }
  }
  const std::string schema_owner = what.text(0, LedgerSchemaOwner);
  if (!schema_owner.empty()) {
    Error error = untrusted_schema(ledger, schema_owner, migrator);
    if (superuser) {
      return fail(std::move(error));
    }
    state.untrusted = std::move(error);
  }
  state.tables = {.version = version.oid,
                  .history = history.oid,
                  .history_file = history.file,
                  .step = step.oid,
                  .catalog = read_table_facts(what.cell(0, CatalogFacts)).oid,
                  .history_columns = history.columns,
                  .beyond_doubt = scrutiny == Scrutiny::DoubtOnly};
  state.superuser = superuser;
  return {};
}

// Builds a state from the answer of the first round trip.
Result<DatabaseState> state_in(const Answer& answer, const Session& session, const MigratorSettings& settings,
                               VersionTable& versions, Ledger& ledger, bool identify) {
  const Rows& what = answer.what;
  DatabaseState state;
  // A pooler reports its own process id at connect time, which differs from the backend's.
  if (auto taken = refuse_pooler(session, what.text(0, BackendPid), settings.execution.allow_session_pooler); !taken) {
    state.pooled = std::move(taken).error();
  }
  TRY(check_tables(what, answer.scrutiny, settings, state));
  Observation& seen = state.observation;
  seen.has_version_table = !state.tables.version.empty();
  seen.has_ledger = !state.tables.history.empty();
  seen.read_only = what.text(0, InRecovery) == "t";
  seen.server_version = session.server_version();
  state.has_step_table = !state.tables.step.empty();
  state.has_ledger_schema = what.cell(0, LedgerSchemaOwner).has_value();
  if (const std::string schema = version_schema_in(what); !schema.empty()) {
    versions.set_schema(schema);
  }
  ledger.set_version_table(version_table_in(what));
  if (identify) {
    seen.identity = identity_in(what);
  }
  return state;
}

// The second round trip: reads the tables that exist.
std::vector<Command> content_of(const DatabaseState& state, const VersionTable& versions, const Ledger& ledger,
                                VersionWidth width) {
  std::vector<Command> commands;
  if (state.observation.has_version_table) {
    commands.push_back({versions.select_statement(), {}, ""});
  }
  if (state.has_step_table) {
    commands.push_back({ledger.steps().select_statement(), {}, ""});
  }
  if (state.observation.has_version_table && width == VersionWidth::Read) {
    commands.push_back({version_width_query(versions), {}, ""});
  }
  return commands;
}

// A row that can be no revision. No file can name it, and printing it would not help.
Error invalid_row(const VersionTable& versions, const std::string& what) {
  return Error(ErrorCode::UnknownDatabaseRevision, "a row of the version table " + versions.qualified() + " " + what)
      .advise("find out the actual revision of the schema, then run `athanor stamp --purge REVISION`, which replaces all rows");
}

Result<void> read_heads(const Rows& rows, const MigratorSettings& settings, const VersionTable& versions, Observation& seen) {
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const Parameter head = rows.cell(i, 0);
    const std::size_t length = head ? count_characters(*head) : 0;
    if (head && length <= kMaxRevisionIdLength) {
      seen.current_heads.push_back(*head);
    } else if (settings.purges) {
      ++seen.invalid_rows;
    } else {
      return fail(invalid_row(versions, head ? "has " + std::to_string(length) + " characters, more than any revision id"
                                             : std::string("is NULL")));
    }
  }
  std::ranges::sort(seen.current_heads);
  return {};
}

Result<void> read_content(std::span<Result<Rows>> answers, const MigratorSettings& settings, const VersionTable& versions,
                          const Ledger& ledger, VersionWidth width, DatabaseState& state) {
  Observation& seen = state.observation;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      const bool is_version = i == 0 && seen.has_version_table;
      return fail(without_column(
          is_version ? "the version table " + versions.qualified() : "the ledger's table " + ledger.steps().name(),
          std::move(answers[i]).error()));
    }
  }
  if (seen.has_version_table) {
    TRY(read_heads(*answers.front(), settings, versions, seen));
  }
  const std::size_t steps = seen.has_version_table ? 1 : 0;
  if (state.has_step_table && !answers[steps]->empty()) {
    seen.unfinished = unfinished_from(*answers[steps]);
  }
  if (seen.has_version_table && width == VersionWidth::Read) {
    state.version_width = version_width_in(*answers.back());
  }
  return {};
}

}  // namespace

Result<DatabaseState> observe_state(Session& session, const MigratorSettings& settings, VersionTable& versions, Ledger& ledger,
                                    bool identify, VersionWidth width) {
  TRY_ASSIGN(const Answer answer, ask(session, names_in(settings, ledger), identify));
  TRY_ASSIGN(DatabaseState state, state_in(answer, session, settings, versions, ledger, identify));
  const std::vector<Command> commands = content_of(state, versions, ledger, width);
  if (!commands.empty()) {
    TRY_ASSIGN(auto answers, session.query_each(commands));
    TRY(read_content(answers, settings, versions, ledger, width, state));
  }
  return state;
}

Result<LockedState> lock_and_observe(Session& session, const MigratorSettings& settings, VersionTable& versions, Ledger& ledger,
                                     const DatabaseState& before) {
  // One pipeline: the server takes the lock before it runs the queries behind it, so what they read cannot be stale.
  std::vector<Command> commands{MigrationLock::try_command(), {question(false), names_in(settings, ledger), ""}};
  std::ranges::move(content_of(before, versions, ledger, VersionWidth::Read), std::back_inserter(commands));
  TRY_ASSIGN(auto answers, session.query_each(commands));
  LockedState locked;
  locked.locked = answers[0] && answers[0]->text(0, 0) == "t";
  // A doubt needs a Full check in another round trip: let the caller observe again under the lock.
  if (!locked.locked || !answers[1] || leaves_doubt(*answers[1])) {
    return locked;
  }
  auto state = state_in({*answers[1]}, session, settings, versions, ledger, false);
  // Tables were created or dropped since `before`, so the queries of this pipeline were for the wrong set of tables.
  const bool as_before = state && state->observation.has_version_table == before.observation.has_version_table &&
                         state->has_step_table == before.has_step_table;
  if (as_before && read_content(std::span(answers).subspan(2), settings, versions, ledger, VersionWidth::Read, *state)) {
    locked.state = std::move(*state);
  }
  return locked;
}

Result<OwnTables> create_missing(Session& session, const MigratorSettings& settings, const DatabaseState& state,
                                 const VersionTable& versions, const Ledger& ledger, NeedStepTable need) {
  Transaction transaction;
  const bool add_steps = need == NeedStepTable::Yes && !state.has_step_table;
  if (!state.observation.has_version_table) {
    transaction.commands.push_back({versions.create_statement(), {}, ""});
  }
  if (!state.has_ledger_schema && (!state.observation.has_ledger || add_steps)) {
    transaction.commands.push_back({ledger.create_schema(), {}, ""});
  }
  if (!state.observation.has_ledger) {
    transaction.commands.push_back({ledger.history().create_statement(), {}, ""});
  } else if (state.tables.history_columns != HistoryTable::kColumns) {
    transaction.commands.push_back({ledger.history().recognise_statement(), {}, ""});
    transaction.commands.push_back({ledger.history().upgrade_statement(), {}, ""});
  }
  if (add_steps) {
    transaction.commands.push_back({ledger.steps().create_statement(), {}, ""});
  } else if (need == NeedStepTable::Yes) {
    transaction.commands.push_back({ledger.steps().recognise_statement(), {}, ""});
    transaction.commands.push_back({ledger.steps().upgrade_statement(), {}, ""});
  }
  if (transaction.commands.empty()) {
    return state.tables;
  }
  // Event triggers may have run on CREATE TABLE and changed settings of the session.
  std::ranges::copy(session_reset(), std::back_inserter(transaction.commands));
  transaction.commands.push_back({question(false), names_in(settings, ledger), ""});
  TRY(session.submit(transaction));
  TRY_ASSIGN(TransactionOutcome outcome, session.collect());
  if (!outcome.error) {
    DatabaseState made;
    Answer answer{std::move(outcome.answers.back())};
    if (leaves_doubt(answer.what)) {
      TRY_ASSIGN(answer, ask(session, names_in(settings, ledger), false));
    }
    TRY(check_tables(answer.what, answer.scrutiny, settings, made));
    if (made.untrusted) {
      return fail(std::move(*made.untrusted));
    }
    return made.tables;
  }
  Error error = std::move(*outcome.error);
  if (session.alive()) {
    TRY(session.recover());
  }
  const std::size_t failed = outcome.failed_command;
  const bool of_steps =
      failed < transaction.commands.size() && transaction.commands[failed].sql == ledger.steps().recognise_statement();
  error =
      without_column("the ledger's table " + (of_steps ? ledger.steps().name() : ledger.history().name()), std::move(error));
  if (error.code == ErrorCode::InsufficientPrivilege) {
    error.message = "the user has no permission to create the version table or the ledger: " + error.message;
    const std::string for_ledger =
        "GRANT CREATE ON DATABASE, or create the ledger schema for this user and name it in ledger_schema";
    const bool of_schema = error.message.find("for schema ") != std::string::npos;  // the version table's: its hint names it
    error.hint = of_schema ? error.hint + "; for the ledger also " + for_ledger : for_ledger;
  }
  return fail(std::move(error));
}

}  // namespace athanor
