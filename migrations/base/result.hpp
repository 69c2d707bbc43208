// Result<T>: a value or an Error. No public interface of the core throws; adapters catch what their library throws. TRY and
// TRY_ASSIGN return an error to the caller unchanged.
//
// Threads: plain values.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "migrations/base/error.hpp"

namespace athanor {

template <class T>
using Result = tl::expected<T, Error>;

// The error as a failed Result of any type: return fail(…).
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error(code, std::move(message)));
}

}  // namespace athanor

#define ATHANOR_CONCAT_INNER(a, b) a##b
#define ATHANOR_CONCAT(a, b) ATHANOR_CONCAT_INNER(a, b)

// TRY(expression): return the error of a Result whose value is not needed.
#define TRY(expression) TRY_INNER(ATHANOR_CONCAT(try_result_, __COUNTER__), expression)
#define TRY_INNER(temporary, expression)                    \
  do {                                                      \
    if (auto temporary = (expression); !temporary) {        \
      return ::athanor::fail(std::move(temporary).error()); \
    }                                                       \
  } while (false)

// TRY_ASSIGN(auto name, expression): assign the value, or return the error.
#define TRY_ASSIGN(declaration, expression) TRY_ASSIGN_INNER(ATHANOR_CONCAT(try_assign_, __COUNTER__), declaration, expression)
#define TRY_ASSIGN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                             \
  if (!temporary) {                                          \
    return ::athanor::fail(std::move(temporary).error());    \
  }                                                          \
  declaration = std::move(*temporary)
