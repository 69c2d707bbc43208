#include "migrations/postgres/observer_session.hpp"

#include <pqxx/pqxx>

#include "migrations/postgres/server_error.hpp"

namespace athanor::postgres {
namespace {

// "ERROR:  relation "x" does not exist\nLINE 1: …" → the primary message alone.
std::string primary_message(const std::string& report) {
  auto line = report.substr(0, report.find('\n'));
  const auto severity = line.find(":  ");
  return severity == std::string::npos ? line : line.substr(severity + 3);
}

class ObserverSession final : public ReadSession {
 public:
  ObserverSession(const std::string& conninfo, std::string place) : connection_(conninfo), place_(std::move(place)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // gone in libpqxx 7, together with what it inhibits
    connection_.inhibit_reactivation(true);
#pragma GCC diagnostic pop
  }

  Result<Rows> query(std::string_view sql, const Parameters& parameters) override {
    try {
      pqxx::nontransaction transaction(connection_);
      std::vector<const char*> values;
      values.reserve(parameters.size());
      for (const auto& parameter : parameters) {
        values.push_back(parameter ? parameter->c_str() : nullptr);
      }
      const pqxx::result answer = transaction.exec_params(std::string(sql), pqxx::prepare::make_dynamic_params(values));
      Rows rows;
      for (const auto& row : answer) {
        auto& cells = rows.rows.emplace_back();
        for (const auto& field : row) {
          cells.push_back(field.is_null() ? Parameter{} : Parameter{field.c_str()});
        }
      }
      rows.affected = static_cast<std::int64_t>(answer.affected_rows());
      return rows;
    } catch (const pqxx::sql_error& error) {
      return fail(server_error(error.sqlstate(), primary_message(error.what())));
    } catch (const std::exception&) {
      return fail(connection_lost(place_));
    }
  }

 private:
  pqxx::connection connection_;
  std::string place_;
};

}  // namespace

Result<std::unique_ptr<ReadSession>> open_observer_session(const std::string& conninfo, const std::string& place) {
  try {
    return std::make_unique<ObserverSession>(conninfo, place);
  } catch (const std::exception&) {
    return fail(ErrorCode::DatabaseUnreachable, "cannot open a second connection to " + place);
  }
}

}  // namespace athanor::postgres
