#include "migrations/cli/import_check.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "migrations/backup/child_connection.hpp"
#include "migrations/backup/client_programs.hpp"
#include "migrations/base/process.hpp"
#include "migrations/cli/backup_location.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kForeignSchemas = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'athanor')";
constexpr int kVersionsInOneMajor = 10'000;
constexpr milliseconds kLongestRun = std::chrono::hours(1);

Result<std::unique_ptr<Session>> open(const CommandContext& context, const std::string& url) {
  TRY_ASSIGN(const auto sessions, context.outside().connect(url, ExecutionSettings{}));
  return sessions->open();
}

// The answers about one kind of object, by name.
using Facts = std::map<std::string, std::string>;

Result<Facts> facts(Session& session, const std::string& sql) {
  TRY_ASSIGN(const Rows rows, session.query(sql));
  Facts found;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    found.emplace(rows.text(row, 0), rows.text(row, 1));
  }
  return found;
}

// Rows are compared as sorted text, because their physical order may differ.
std::string rows_of(const std::string& table) {
  return "SELECT 'rows', pg_catalog.count(*)::text || ' ' || pg_catalog.md5(coalesce(pg_catalog.string_agg(x::text, E'\\n' "
         "ORDER BY x::text COLLATE \"C\"), '')) FROM " +
         table + " x";
}

std::string columns_of(const std::string& table) {
  return "SELECT pg_catalog.quote_ident(attname), pg_catalog.format_type(atttypid, NULL) FROM pg_catalog.pg_attribute WHERE "
         "attrelid = " +
         quote_literal(table) + "::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped";
}

std::string values_of(const std::string& table, const std::string& column) {
  return "SELECT 'values', pg_catalog.md5(coalesce(pg_catalog.string_agg(" + column + "::text, E'\\n' ORDER BY " + column +
         "::text COLLATE \"C\"), '')) FROM " + table;
}

// Whether values of this type are usually generated at run time: random ids and times.
bool of_the_moment(std::string_view type) {
  return type == "uuid" || type == "date" || type.starts_with("time");
}

class RowComparison {
 public:
  RowComparison(Session& theirs, Session& ours, ImportDifferences& found) : theirs_(theirs), ours_(ours), found_(found) {}

  Result<void> run() {
    const std::string tables =
        "SELECT c.oid::pg_catalog.regclass::text, '' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace WHERE c.relkind = 'r' AND " +
        std::string(kForeignSchemas);
    TRY_ASSIGN(const Facts names, facts(theirs_, tables));
    TRY_ASSIGN(const Facts mine, facts(ours_, tables));
    for (const auto& [table, ignored] : names) {
      if (mine.contains(table)) {  // otherwise the schemas differ, which is reported already
        TRY(table_rows(table));
      }
    }
    return sequences();
  }

 private:
  Result<void> table_rows(const std::string& table) {
    TRY_ASSIGN(const Facts theirs, facts(theirs_, rows_of(table)));
    TRY_ASSIGN(const Facts ours, facts(ours_, rows_of(table)));
    if (theirs == ours) {
      return {};
    }
    const auto count = [](const Facts& fact) { return fact.at("rows").substr(0, fact.at("rows").find(' ')); };
    if (count(theirs) != count(ours)) {
      found_.lines.push_back("rows of " + table + ": " + count(theirs) + " by Alembic, " + count(ours) + " by Athanor");
      return {};
    }
    // The same number of rows with other content: find the columns that differ, since some may differ legitimately.
    TRY_ASSIGN(const Facts columns, facts(theirs_, columns_of(table)));
    for (const auto& [column, type] : columns) {
      auto one = facts(theirs_, values_of(table, column));
      auto other = facts(ours_, values_of(table, column));
      if (!one || !other || *one != *other) {
        (of_the_moment(type) ? found_.allowed : found_.lines).push_back("values of " + table + "." + column);
      }
    }
    return {};
  }

  Result<void> sequences() {
    const std::string sql =
        "SELECT schemaname || '.' || sequencename, coalesce(last_value::text, 'unused') FROM pg_catalog.pg_sequences WHERE "
        "schemaname <> 'athanor'";
    TRY_ASSIGN(const Facts theirs, facts(theirs_, sql));
    TRY_ASSIGN(const Facts ours, facts(ours_, sql));
    for (const auto& [name, value] : theirs) {
      if (const auto mine = ours.find(name); mine != ours.end() && mine->second != value) {
        found_.lines.push_back("sequence " + name + ": at " + value + " by Alembic, at " + mine->second + " by Athanor");
      }
    }
    return {};
  }

  Session& theirs_;
  Session& ours_;
  ImportDifferences& found_;
};

// Adds lines of one dump that the other lacks, in order.
void add_missing(const std::vector<std::string>& from, std::vector<std::string> other, std::string_view title,
                 std::vector<std::string>& found) {
  std::ranges::sort(other);
  for (const std::string& line : from) {
    if (!std::ranges::binary_search(other, line)) {
      found.push_back(std::string(title) + line);
    }
  }
}

}  // namespace

Result<std::unique_ptr<ImportCheck>> ImportCheck::begin(CommandContext& context, const std::string& url) {
  std::unique_ptr<ImportCheck> check(new ImportCheck(context));
  check->url_ = url;
  TRY_ASSIGN(check->keywords_, context.outside().connection_keywords(url));
  TRY(check->copy());
  return check;
}

Result<void> ImportCheck::copy() {
  TRY_ASSIGN(const auto session, open(context_, url_));
  TRY_ASSIGN(const Rows seen,
             session->query("SELECT pg_catalog.current_database(), EXISTS (SELECT FROM pg_catalog.pg_class c JOIN "
                            "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE " +
                            std::string(kForeignSchemas) +
                            " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))"));
  name_ = seen.text(0, 0);
  if (seen.text(0, 1) == "t") {
    return fail(Error(ErrorCode::PolicyRefused, "the database of --against is not empty")
                    .advise("use a newly created database: Alembic runs every revision there"));
  }
  const std::string copy = name_ + "_athanor_check";
  auto made = session->execute_autocommit("CREATE DATABASE " + quote_identifier(copy) + " TEMPLATE " + quote_identifier(name_));
  if (!made) {
    return fail(std::move(made).error().advise("--check copies the empty database to " + copy +
                                               ": this needs CREATEDB and no other connections to the database"));
  }
  copy_ = copy;
  return {};
}

ImportCheck::~ImportCheck() {
  if (copy_.empty()) {
    return;
  }
  auto session = open(context_, url_);
  if (!session || !(*session)->execute_autocommit("DROP DATABASE " + quote_identifier(copy_))) {
    context_.output().warn("the database " + copy_ + " could not be dropped");
  }
}

Result<void> ImportCheck::apply(const std::string& folder, const RenderedProject& project) {
  std::vector<std::string> environment = inherited_environment();
  // The user's own settings must not direct the import to another database.
  std::erase_if(environment, [](const std::string& variable) {
    return variable.starts_with("DATABASE_URL=") || variable.starts_with("ATHANOR_");
  });
  environment.push_back("DATABASE_URL=" + conninfo_of(keywords_, copy_));
  ProcessCommand command;
  command.arguments = {"/proc/self/exe", "--migrations", fs::absolute(folder).string(),
                       "--no-color",     "-x",           "version_table=" + project.version_table,
                       "upgrade",        "heads"};
  if (!project.version_table_schema.empty()) {
    command.arguments.insert(command.arguments.end() - 2, {"-x", "version_table_schema=" + project.version_table_schema});
  }
  command.environment = std::move(environment);
  command.folder = "/";  // a folder without an athanor.yaml
  command.timeout = kLongestRun;
  TRY_ASSIGN(const ProcessEnd end, run_process(command, {}, context_.outside().stop));
  if (end.timed_out) {
    return fail(ErrorCode::NotRenderable, "what was imported could not be applied to an empty database within an hour");
  }
  if (end.exit_code != 0) {
    return fail(Error(ErrorCode::NotRenderable, "cannot apply the imported revisions to an empty database: " + end.err));
  }
  return {};
}

Result<std::vector<std::string>> ImportCheck::dump(const std::string& database, int server_version) {
  ProgramSearch search;
  search.path = split_path(context_.outside().variable("PATH").value_or(""));
  search.environment = context_.outside().environment();
  TRY_ASSIGN(const ClientPrograms programs,
             find_programs(search, server_version / kVersionsInOneMajor, context_.outside().stop));
  TRY_ASSIGN(const ChildConnection connection,
             ChildConnection::create(keywords_, database, "athanor import", context_.outside().environment()));
  std::string text;
  ProcessStreams streams;
  streams.out = keep_all(text, kMostAnswer, Error(ErrorCode::BackupFailed, "the schema's dump has more than 256 MiB"));
  ProcessCommand command = connection.command({programs.pg_dump, "--schema-only", "--no-password", "--exclude-schema=athanor"});
  command.idle_timeout = kClientIdle;
  TRY_ASSIGN(const ProcessEnd end, run_process(command, streams, context_.outside().stop));
  if (end.exit_code != 0) {
    return fail(connection.error_of("pg_dump", command, end, ErrorCode::BackupFailed));
  }
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    // Newer versions write \restrict lines with a random word.
    if (!line.empty() && !line.starts_with("--") && !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

Result<ImportDifferences> ImportCheck::compare(const std::string& folder, const RenderedProject& project) {
  TRY(apply(folder, project));
  TRY_ASSIGN(const auto theirs, open(context_, url_));
  TRY_ASSIGN(const auto ours, open(context_, conninfo_of(keywords_, copy_)));
  TRY_ASSIGN(const auto their_dump, dump(name_, theirs->server_version()));
  TRY_ASSIGN(const auto our_dump, dump(copy_, theirs->server_version()));
  ImportDifferences found;
  add_missing(their_dump, our_dump, "only Alembic:  ", found.lines);
  add_missing(our_dump, their_dump, "only Athanor:  ", found.lines);
  if (found.lines.empty() && their_dump != our_dump) {
    found.lines.emplace_back("the dumps have the same lines in another order");
  }
  TRY(RowComparison(*theirs, *ours, found).run());
  return found;
}

}  // namespace athanor::cli
