// What an interrupted autocommit statement left in the catalog, and what to do about it.
//
// Objects are found the way the statement finds them, by the names as written in the session's search_path, once: from then on
// their names with schemas are recorded with the intent, so that a later run asks about the same objects whatever its
// search_path. An index is ours by table, name and definition. Questions use nothing that a search_path could replace.
//
// Threads: the session's.
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
  Absent,   // the object is not there
  Valid,    // it is there and usable
  Invalid,  // it is there, half-built: an INVALID index, a pending detach
  Foreign,  // its name is taken by an object of another table or definition
  Unknown,  // the catalog cannot tell
};
[[nodiscard]] std::string probe_state_name(ProbeState state);  // "absent", "valid", "invalid", "foreign", "unknown"

// What the catalog said before a statement was sent, as the intent's row keeps it, separated by tabs: "absent", "app.t".
struct CatalogRecord {
  std::string state;
  std::vector<std::string> objects;  // what the statement is about, quoted and with their schemas
  std::vector<std::string> known;    // OIDs of indexes that were there before and are not its work

  [[nodiscard]] static CatalogRecord parse(std::string_view text);  // rows of older versions hold the state alone
  [[nodiscard]] std::string text() const;
};

struct CatalogLook {
  ProbeState state = ProbeState::Unknown;
  CatalogRecord record;                   // to be kept with the intent
  std::vector<std::string> half_built;    // INVALID indexes that the statement left, quoted and with their schemas
  std::vector<std::string> out_of_reach;  // likewise, but the role may not use their schema
  std::string taken_by;                   // the name that is taken: Foreign, or Unknown when its index cannot be compared
};

// Asks the catalog about the objects of `what`. `before`: the record of the intent whose statement this look is about; without
// one nothing was sent yet, and names are resolved in the session as it is. Unknown without a question when the kind of
// statement leaves nothing to ask for.
[[nodiscard]] Result<CatalogLook> look_at_catalog(ReadSession& session, const RecoveryProbe& what,
                                                  const std::optional<CatalogRecord>& before);

// The statement that ends a DETACH PARTITION CONCURRENTLY which was interrupted between its transactions.
[[nodiscard]] std::string finalise_statement(const CatalogRecord& record);

// What to do with a statement whose intent was recorded and whose outcome is unknown.
enum class Verdict : std::uint8_t { Done, RunAgain, AskHuman };
// `state_before` is the name of the state that was recorded with the intent.
[[nodiscard]] Verdict judge(const RecoveryProbe& what, const std::string& state_before, ProbeState state_now);

}  // namespace athanor
