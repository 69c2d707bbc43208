#include "migrations/plan/offline_session.hpp"

#include <array>
#include <string_view>
#include <vector>

#include "migrations/text/quoting.hpp"
#include "migrations/text/session_baseline.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

// In the order of a run: first what may still run code, then the identity, because dropping a table requires its owner.
constexpr std::array<std::string_view, 10> kReset{
    "SET CONSTRAINTS ALL IMMEDIATE",
    "CLOSE ALL",
    "RESET SESSION AUTHORIZATION",
    "RESET ROLE",
    "RESET ALL",
    "DEALLOCATE ALL",
    "UNLISTEN *",
    "DISCARD TEMP",
    "DISCARD SEQUENCES",
    "DO 'BEGIN PERFORM pg_catalog.pg_advisory_unlock_all(); END'",
};

// Joins statements to lines of readable length.
class StatementLines {
 public:
  void add(std::string_view statement) {
    constexpr std::size_t kLongestLine = 110;
    if (line_ > 0 && line_ + statement.size() + 2 > kLongestLine) {
      text_ += '\n';
      line_ = 0;
    }
    const std::size_t before = text_.size();
    text_ += line_ > 0 ? " " : "";
    text_ += statement;
    text_ += ';';
    line_ += text_.size() - before;
  }
  [[nodiscard]] std::string take() { return std::move(text_) + "\n"; }

 private:
  std::string text_;
  std::size_t line_ = 0;
};

// Turns a search_path in the form of postgresql.conf into a list of literals: SET would read one literal as a single name.
std::string path_list(std::string_view value) {
  std::string list;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t index = 0; index <= value.size(); ++index) {
    if (index < value.size() && (quoted || value[index] != ',')) {
      quoted = quoted != (value[index] == '"');
      continue;
    }
    const auto name = trim(value.substr(begin, index - begin));
    list += (list.empty() ? "" : ", ") + quote_literal(identifier_name(name));
    begin = index + 1;
  }
  return list;
}

}  // namespace

OfflineSession::OfflineSession(const std::string& role, const std::string& search_path) {
  StatementLines lines;
  lines.add("SET client_encoding = 'UTF8'");  // the encoding of the script
  for (const auto& [name, value] : kSessionBaseline) {
    lines.add("SET " + std::string(name) + " = " + quote_literal(value));
  }
  lines.add("SET statement_timeout = 0");
  if (!search_path.empty()) {
    lines.add("SET search_path = " + path_list(search_path));
  }
  if (!role.empty()) {
    lines.add("SET ROLE " + quote_literal(role));
  }
  settings_ = lines.take();
}

std::string OfflineSession::start(bool resets) const {
  // Otherwise settings that psql's session already has would hold only until the first reset, in the middle of the script.
  constexpr std::string_view kFresh = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;\n";
  return "-- Session: as a run of athanor has it.\n" + std::string(resets ? kFresh : "") + settings_ + "\n";
}

std::string OfflineSession::reset() const {
  StatementLines lines;
  for (const auto statement : kReset) {
    lines.add(statement);
  }
  return "-- Session: what the revision set ends here.\n" + lines.take() + settings_ + "\n";
}

}  // namespace athanor
