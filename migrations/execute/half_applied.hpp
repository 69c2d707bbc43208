// How far a half-applied revision has come, in numbers and in words.
//
// A revision of several steps that stopped is half-applied: some of its steps, or statements of a step, have taken effect, and
// the version row is still where it was. What is done comes from the ledger's step rows, what is next from the file.
//
// Threads: plain values, pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "migrations/execute/observation.hpp"
#include "migrations/plan/script.hpp"

namespace athanor {

struct HalfApplied {
  std::string revision;
  Direction direction = Direction::Upgrade;
  std::size_t steps = 0;  // of the file, in this direction; 0: the file cannot be read
  std::size_t steps_done = 0;
  std::size_t statements = 0;       // of the autocommit step that it stopped in; 0: it stopped in no such step
  std::size_t statements_done = 0;  // of that step
  bool in_batches = false;          // it stopped between two batches, after about `rows`
  std::int64_t rows = 0;
  bool outcome_unknown = false;  // nobody knows whether the next statement took effect
  int next_line = 0;             // of the statement that comes next; 0: none is left, or the file cannot be read
  std::string next_statement;    // sanitised
};

// `steps` are those of the file in the revision's direction; null when it cannot be read.
[[nodiscard]] HalfApplied half_applied(const UnfinishedStep& open, const std::vector<ScriptStep>* steps);

// "1 of 2 steps done, and 1 of 2 statements of step 2".
[[nodiscard]] std::string parts_done(const HalfApplied& half);
// "revision q1 is half-applied: 1 of 2 steps done, …".
[[nodiscard]] std::string describe_half_applied(const HalfApplied& half);

}  // namespace athanor
