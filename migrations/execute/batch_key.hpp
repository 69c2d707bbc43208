// The key column that a batch step walks over: checks it against the catalog and builds the SQL of key ranges.
//
// Keys are stored as text between batches and runs, so a value must survive the round trip through text. Text is written under
// pinned settings, and the server reads each key back before it is used. Comparisons use the operators of the type's default
// btree order, qualified with their schema. Equal keys are never split: a range ends after all rows with its last key.
//
// Threads: immutable after find(). Ownership: plain value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/plan/script.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class BatchKey {
 public:
  // Resolves table and column through the session's search_path. Errors: no such table or column; it is not a table; the text
  // of the type depends on session settings (money, regclass, …); errors of the server.
  [[nodiscard]] static Result<BatchKey> find(ReadSession& session, const BatchOptions& options);

  // Quoted, with its schema.
  [[nodiscard]] const std::string& table() const { return table_; }

  // Sets the parameters that affect how keys are written, until the transaction ends.
  [[nodiscard]] static std::string pin_settings();
  // Returns a row if the table has a NULL key.
  [[nodiscard]] std::string select_null() const;
  // Returns the largest key, and whether its text reads back as the same value. No row if the table has no keys.
  [[nodiscard]] std::string select_last() const;
  // Returns the last key of the next `size` rows after `cursor` and up to `bound`, and the same check. No row at the end of the
  // walk.
  [[nodiscard]] std::string select_upper(const std::optional<std::string>& cursor, const std::string& bound,
                                         std::int64_t size) const;
  // The condition that replaces {batch}: keys greater than `cursor` (when set) and up to `upper`.
  [[nodiscard]] std::string range(const std::optional<std::string>& cursor, const std::string& upper) const;
  // Whether the text of keys contains the word NULL, which an array's input reads as NULL only while array_nulls is on.
  [[nodiscard]] static bool has_nulls(std::string_view text);
  // Fails with division by zero unless array_nulls is on.
  [[nodiscard]] static std::string refuse_unread_nulls();
  // Whether the statement itself may write keys that the walk has not reached yet: it inserts into the table or sets the key.
  // True when the parser cannot read the statement.
  [[nodiscard]] bool written_by(std::string_view statement) const;
  // Whether the statement contains an UPDATE or MERGE: through a view, a partition or a trigger it may change keys. True when
  // the parser cannot read the statement.
  [[nodiscard]] static bool updates(std::string_view statement);
  // Stores the number of rows of the batch for refuse_moved(), until the transaction ends.
  [[nodiscard]] std::string count_rows(const std::optional<std::string>& cursor, const std::string& upper) const;
  // Like refuse_written(), but checks only if the batch now has fewer rows than count_rows() stored.
  [[nodiscard]] std::string refuse_moved(const std::optional<std::string>& cursor, const std::string& upper,
                                         const std::string& bound) const;
  // Fails with division by zero if the running transaction wrote a row whose key is greater than `upper` and at most `bound`.
  [[nodiscard]] std::string refuse_written(const std::string& upper, const std::string& bound) const;

 private:
  BatchKey() = default;
  [[nodiscard]] std::string literal(const std::string& key) const;
  // The condition that refuse_written() checks.
  [[nodiscard]] std::string written_ahead(const std::string& upper, const std::string& bound) const;

  std::string table_;
  std::string relation_;  // the table's bare name
  std::string name_;      // of the key column
  std::string column_;    // quoted
  std::string type_;      // quoted, with its schema; the base type of a domain
  std::string after_, up_to_, equals_;
};

}  // namespace athanor
