// Describes how much of a half-applied revision is done, in numbers and in words.
//
// A revision of several steps that stopped is half-applied: some steps, or some statements of a step, took effect, and the
// version row has not moved. The ledger's step rows say what is done; the file says what is next.
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
  std::size_t steps = 0;  // steps in the file, in this direction; 0: the file cannot be read
  std::size_t steps_done = 0;
  std::size_t statements = 0;       // statements of the autocommit step that it stopped in; 0: it did not stop in such a step
  std::size_t statements_done = 0;  // of that step
  bool in_batches = false;          // it stopped between two batches, after about `rows` rows
  std::int64_t rows = 0;
  bool outcome_unknown = false;  // it is unknown whether the next statement took effect
  int next_line = 0;             // line of the next statement; 0: no statement is left, or the file cannot be read
  std::string next_statement;    // sanitised
};

// `steps` are the steps of the file in the revision's direction; null when the file cannot be read.
[[nodiscard]] HalfApplied half_applied(const UnfinishedStep& open, const std::vector<ScriptStep>* steps);

// "1 of 2 steps done, and 1 of 2 statements of step 2".
[[nodiscard]] std::string parts_done(const HalfApplied& half);
// "revision q1 is half-applied: 1 of 2 steps done, …".
[[nodiscard]] std::string describe_half_applied(const HalfApplied& half);

}  // namespace athanor
