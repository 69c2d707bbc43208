#include "migrations/base/sqlstate.hpp"

namespace athanor {

ErrorCode code_of_sqlstate(std::string_view state) {
  if (state == "55P03") {
    return ErrorCode::LockTimeout;
  }
  if (state == "42501") {
    return ErrorCode::InsufficientPrivilege;
  }
  if (state.starts_with("08") || state == "57P01" || state == "57P02" || state == "57P03" || state == "25P03" ||
      state == "57P05") {
    return ErrorCode::ConnectionLost;
  }
  return ErrorCode::StatementFailed;
}

RetryClass retry_of_sqlstate(std::string_view state) {
  // 25006 (read-only transaction): after a failover, until the connection reaches the new primary. 55006 (object in use):
  // CREATE DATABASE while another session is connected to its template.
  const bool passes = state == "40P01" || state == "40001" || state.starts_with("53") || state.starts_with("57P") ||
                      state.starts_with("08") || state == "55P03" || state == "55006" || state == "25006";
  return passes ? RetryClass::Transient : RetryClass::Terminal;
}

}  // namespace athanor
