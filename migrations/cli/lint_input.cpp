#include "migrations/cli/lint_input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unordered_set>

#include "migrations/base/unique_fd.hpp"
#include "migrations/graph/walk.hpp"
#include "migrations/lint/linter.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/revision/native_header.hpp"
#include "migrations/revision/revision_text.hpp"

namespace athanor::cli {
namespace {

namespace fs = std::filesystem;

LintUnit unit_of_revision(const Revision& revision, const std::string& text, Direction direction) {
  auto script = parse_script(revision, text);
  return script ? unit_of(*script, direction, revision.path, revision.id)
                : refused_unit(script.error(), text, revision.path, revision.id);
}

bool has_revision_header(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && (text[at] == '-' || text[at] == '\n')) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (text.substr(at, end - at).starts_with("-- Revision:")) {
      return true;
    }
    at = end + 1;
  }
  return false;
}

Result<LintUnit> read_sql_file(const std::string& path, Direction direction, bool single_transaction,
                               const SourceLimits& limits) {
  TRY_ASSIGN(std::string text, read_sql_text(path, limits));
  if (!has_revision_header(text)) {
    return plain_unit(std::move(text), path, single_transaction);
  }
  TRY_ASSIGN(const auto revision, parse_native_header(text, true, path));
  return unit_of_revision(*revision, text, direction);
}

}  // namespace

Result<std::vector<std::string>> sql_files_of(const std::string& operand) {
  std::error_code fault;
  std::vector<std::string> files;
  if (!fs::is_directory(operand, fault)) {
    files.push_back(operand);
    return files;
  }
  for (const auto& entry : fs::directory_iterator(operand, fault)) {
    if (entry.path().extension() == ".sql" && entry.is_regular_file(fault)) {
      files.push_back(entry.path().string());
    }
  }
  if (fault) {
    return fail(
        Error(ErrorCode::Io, "cannot read the folder: " + fault.message()).at(operand).with_retry(RetryClass::Terminal));
  }
  std::ranges::sort(files);
  if (files.empty()) {
    return fail(Error(ErrorCode::Io, "the folder has no *.sql file").at(operand).with_retry(RetryClass::Terminal));
  }
  return files;
}

Result<std::string> read_sql_text(const std::string& path, const SourceLimits& limits) {
  const auto unreadable = [&path](const std::string& why) {
    return fail(Error(ErrorCode::Io, "cannot read the file: " + why).at(path).with_retry(RetryClass::Terminal));
  };
  // O_NONBLOCK: opening a FIFO would wait for a writer.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return unreadable(std::generic_category().message(errno));
  }
  if (!S_ISREG(status.st_mode)) {  // a pipe or a device may never end
    return unreadable(S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > limits.max_file_bytes) {
    return fail(file_too_large(path, size, limits.max_file_bytes));
  }
  std::string text;
  std::string part(std::size_t{64} << 10U, '\0');
  while (true) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return unreadable(std::generic_category().message(errno));
    }
    if (got == 0) {
      return normalise_revision_text(std::move(text), path);
    }
    text.append(part, 0, static_cast<std::size_t>(got));
    if (text.size() > limits.max_file_bytes) {  // it grows, or is in /proc
      return fail(file_too_large(path, text.size(), limits.max_file_bytes));
    }
  }
}

bool is_sql_path(const std::string& operand) {
  struct stat status {};
  return operand.ends_with(".sql") || (operand.find('/') != std::string::npos && ::stat(operand.c_str(), &status) == 0) ||
         operand == ".";
}

Result<LintInput> read_sql_paths(const std::vector<std::string>& operands, bool downgrade, bool single_transaction,
                                 const SourceLimits& limits) {
  LintInput input;
  for (const std::string& operand : operands) {
    TRY_ASSIGN(const auto files, sql_files_of(operand));
    for (const std::string& file : files) {
      TRY_ASSIGN(LintUnit unit,
                 read_sql_file(file, downgrade ? Direction::Downgrade : Direction::Upgrade, single_transaction, limits));
      input.units.push_back(std::move(unit));
    }
  }
  return input;
}

Result<std::vector<std::string>> chosen_revisions(const RevisionGraph& graph, const std::vector<std::string>& operands,
                                                  const std::vector<std::string>& current_heads) {
  std::vector<std::string> ids;
  for (const std::string& operand : operands) {
    if (operand.find(':') == std::string::npos) {
      const auto named = graph.resolve(operand, current_heads);
      if (!named) {
        Error error = named.error();
        std::error_code ignored;
        return fail(fs::exists(operand, ignored) ? std::move(error).advise("for the files there: athanor lint ./" + operand)
                                                 : std::move(error));
      }
      ids.insert(ids.end(), named->begin(), named->end());
      continue;
    }
    TRY_ASSIGN(const auto offline, offline_walk(graph, Direction::Upgrade, operand));
    for (const WalkStep& step : offline.second.steps) {
      ids.push_back(step.revision.value_or(""));
    }
  }
  return ids;
}

Result<std::vector<std::string>> pending_revisions(const RevisionGraph& graph, const std::vector<std::string>& current_heads) {
  TRY_ASSIGN(const Walk walk, make_walk(graph, Direction::Upgrade, current_heads, {"heads"}));
  std::vector<std::string> ids;
  for (const WalkStep& step : walk.steps) {
    ids.push_back(step.revision.value_or(""));
  }
  return ids;
}

Result<LintInput> read_revisions(const Project& project, const std::vector<std::string>& ids, bool downgrade) {
  LintInput input;
  if (ids.empty()) {
    return input;
  }
  const std::unordered_set<std::string> chosen(ids.begin(), ids.end());
  TRY_ASSIGN(const auto needed, project.graph.applied(ids));
  const std::unordered_set<std::string> before(needed.begin(), needed.end());
  TRY_ASSIGN(const Walk walk, make_walk(project.graph, Direction::Upgrade, {}, {"heads"}));
  for (const WalkStep& step : walk.steps) {
    const bool judged = chosen.contains(*step.revision);
    const Revision* const revision = project.graph.find(*step.revision);
    if (revision == nullptr || (!judged && !before.contains(*step.revision))) {
      continue;
    }
    if (revision->format == RevisionFormat::AlembicPython) {
      input.python += judged ? 1 : 0;
      continue;
    }
    TRY_ASSIGN(std::string text, project.source->read(*revision));
    if (judged) {
      input.units.push_back(unit_of_revision(*revision, text, downgrade ? Direction::Downgrade : Direction::Upgrade));
    }
    if (!judged || downgrade) {
      input.history.push_back(unit_of_revision(*revision, text, Direction::Upgrade));
    }
  }
  if (downgrade) {
    std::ranges::reverse(input.units);
  }
  return input;
}

LintContext lint_context(CommandContext& context, const Configuration& configuration, const LiveDatabase* live) {
  LintContext lint;
  lint.stop = context.outside().stop;
  lint.settings = configuration.lint;
  lint.session_lock_timeout = configuration.execution.lock_timeout.count() > 0;
  lint.postgres = lint.settings.postgres > 0 ? lint.settings.postgres : live != nullptr ? live->postgres : kDefaultPostgres;
  return lint;
}

Result<LiveDatabase> ask_live_database(CommandContext& context, const Configuration& configuration) {
  TRY_ASSIGN(const auto factory, context.outside().connect(configuration.database_url, configuration.execution));
  TRY_ASSIGN(const auto session, factory->open_observer());
  return read_live_database(*session);
}

Result<std::vector<Finding>> findings_of(const LintInput& input, const LintContext& context, const LiveDatabase* live,
                                         std::size_t* statements) {
  Linter linter(context);
  for (const LintUnit& unit : input.history) {
    linter.learn(unit);
  }
  if (live != nullptr) {
    complete(linter.facts(), live->facts);
  }
  for (const LintUnit& unit : input.units) {
    linter.lint(unit);
  }
  if (linter.stopped()) {
    return fail(ErrorCode::Interrupted, "lint was stopped before it had read everything");
  }
  if (statements != nullptr) {
    *statements = linter.statements();
  }
  return linter.finish();
}

}  // namespace athanor::cli
