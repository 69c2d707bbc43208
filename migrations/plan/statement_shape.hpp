// The first words of a statement and a few facts from one pass over its tokens: enough to distinguish kinds of statements
// without a grammar, so that it also works for syntax newer than libpg_query.
//
// Threads: plain value. Ownership: words point into the statement.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace athanor {

class StatementShape {
 public:
  // Reads the whole statement.
  explicit StatementShape(std::string_view sql);

  // Whether the first words match the pattern ("create index": lower case, single spaces), ignoring case. Quoted names, numbers
  // and parentheses end the sequence of words.
  [[nodiscard]] bool starts(std::string_view pattern) const;
  [[nodiscard]] std::string_view first_word() const { return count_ > 0 ? words_[0] : std::string_view(); }

  struct LongIdentifier {
    std::size_t begin = 0;
    std::size_t bytes = 0;
    std::string_view text;
  };
  std::optional<LongIdentifier> long_identifier;  // the first that PostgreSQL would truncate
  bool unbalanced = false;                        // a parenthesis closes before it opens, or never closes
  bool concurrently = false;                      // the word appears outside parentheses
  bool concurrently_option = false;               // (…, CONCURRENTLY, …), not switched off
  bool detaches_partition = false;                // DETACH PARTITION outside parentheses
  bool sets_tablespace = false;                   // SET TABLESPACE outside parentheses
  bool unlocks_all = false;                       // pg_advisory_unlock_all
  bool names_create_slot = false;                 // create_slot or connect in an option list
  bool reindexes_many = false;                    // REINDEX [(…)] SCHEMA, DATABASE or SYSTEM
  bool names_quoted = false;                      // any quoted identifier
  bool writes = false;                            // INSERT, UPDATE or DELETE outside parentheses
  bool selects = false;                           // SELECT outside parentheses, or WITH
  std::size_t words_outside = 0;

 private:
  void see_word(std::string_view word, int depth);

  std::array<std::string_view, 8> words_{};
  std::size_t count_ = 0;
  bool run_open_ = true;
  std::string_view previous_;  // the directly preceding word
};

}  // namespace athanor
