// Finds out from the catalog what an interrupted autocommit statement left behind, and decides what to do about it.
//
// Objects are resolved once, as the statement itself would resolve them, with the session's search_path. Their qualified names
// are then recorded with the intent, so that a later run checks the same objects under any search_path. An index is recognised
// by table, name and definition. The queries use only names in pg_catalog, which no search_path can replace.
//
// Threads: the session's. Ownership: borrows the session for the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/plan/statement.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

enum class ProbeState : std::uint8_t {
  Absent,   // the object does not exist
  Valid,    // it exists and is usable
  Invalid,  // it exists, half-built: an INVALID index, a pending detach
  Foreign,  // its name belongs to an object of another table or with another definition
  Unknown,  // the catalog cannot answer
};
[[nodiscard]] std::string probe_state_name(ProbeState state);  // "absent", "valid", "invalid", "foreign", "unknown"

// The state of the catalog before a statement was sent, as the intent's row stores it, separated by tabs: "absent", "app.t".
struct CatalogRecord {
  std::string state;
  std::vector<std::string> objects;  // the objects of the statement, quoted and with their schemas
  std::vector<std::string> known;    // OIDs of indexes that existed before and that the statement did not create

  [[nodiscard]] static CatalogRecord parse(std::string_view text);  // rows of older versions contain only the state
  // The inverse of parse().
  [[nodiscard]] std::string text() const;
};

struct CatalogObservation {
  ProbeState state = ProbeState::Unknown;
  CatalogRecord record;                   // to store with the intent
  std::vector<std::string> half_built;    // INVALID indexes that the statement left, quoted and with their schemas
  std::vector<std::string> out_of_reach;  // the same, but the role has no USAGE on their schema
  std::string taken_by;  // the index name that is taken: set when Foreign, or when Unknown because the index cannot be compared
};

// Queries the catalog about the objects of `what`. `before` is the record stored with the intent; without it nothing was sent
// yet, and names are resolved in the session. Returns Unknown without a query when this kind of statement leaves no trace to
// check.
[[nodiscard]] Result<CatalogObservation> observe_catalog(ReadSession& session, const RecoveryProbe& what,
                                                         const std::optional<CatalogRecord>& before);

// The statement that completes an interrupted DETACH PARTITION CONCURRENTLY.
[[nodiscard]] std::string finalise_statement(const CatalogRecord& record);

// What to do about a statement whose intent was recorded and whose outcome is unknown.
enum class Verdict : std::uint8_t { Done, RunAgain, AskHuman };
// `state_before` is the name of the state recorded with the intent.
[[nodiscard]] Verdict judge(const RecoveryProbe& what, const std::string& state_before, ProbeState state_now);

}  // namespace athanor
