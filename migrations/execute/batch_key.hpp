// The key that a batch step walks: a column checked against the catalog, and the SQL of ranges over it.
//
// Keys travel as text between batches and runs, so their type must read back from its text as the same value; text is written
// under pinned settings, and each key is read back by the server before it is used. Operators are those of the type's order, by
// their schema. Equal keys are never split: a range ends with all rows of its last key.
//
// Threads: immutable once found.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/plan/script.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class BatchKey {
 public:
  // Finds table and column as the session's search_path resolves them. Errors: there is no such table or column, it is a view,
  // the type's text does not name its value for good (money, regclass …); those of the server.
  [[nodiscard]] static Result<BatchKey> find(ReadSession& session, const BatchOptions& options);

  // With schema, quoted.
  [[nodiscard]] const std::string& table() const { return table_; }

  // Puts the settings that keys are written under into force until the transaction ends.
  [[nodiscard]] static std::string pin_settings();
  // A row when the table holds a NULL key.
  [[nodiscard]] std::string select_null() const;
  // The largest key; then whether its text reads back as the same value. No row without keys.
  [[nodiscard]] std::string select_last() const;
  // The last key of the next `size` rows behind `cursor` and up to `bound`, likewise.
  [[nodiscard]] std::string select_upper(const std::optional<std::string>& cursor, const std::string& bound,
                                         std::int64_t size) const;
  // The condition that {batch} stands for: keys behind `cursor` up to `upper`.
  [[nodiscard]] std::string range(const std::optional<std::string>& cursor, const std::string& upper) const;
  // Whether the statement itself may write keys that the walk has yet to reach: it adds rows to the table or sets the key.
  [[nodiscard]] bool written_by(std::string_view statement) const;
  // Whether the statement updates anything: a view, a partition or a trigger may turn that into another key.
  [[nodiscard]] static bool updates(std::string_view statement);
  // Keeps the number of rows of the batch for refuse_moved(), until the transaction ends.
  [[nodiscard]] std::string count_rows(const std::optional<std::string>& cursor, const std::string& upper) const;
  // The same as refuse_written(), asked only when the batch has fewer rows than count_rows() saw.
  [[nodiscard]] std::string refuse_moved(const std::optional<std::string>& cursor, const std::string& upper,
                                         const std::string& bound) const;
  // Division by zero when the running transaction wrote a row with a key behind `upper` up to `bound`.
  [[nodiscard]] std::string refuse_written(const std::string& upper, const std::string& bound) const;

 private:
  BatchKey() = default;
  [[nodiscard]] std::string literal(const std::string& key) const;
  // The condition that the running transaction wrote a row with a key behind `upper` up to `bound`.
  [[nodiscard]] std::string written_ahead(const std::string& upper, const std::string& bound) const;

  std::string table_;
  std::string relation_;  // the table's bare name
  std::string name_;      // the column's
  std::string column_;    // quoted
  std::string type_;      // with schema, quoted; of a domain its base type
  std::string after_, up_to_, equals_;
};

}  // namespace athanor
