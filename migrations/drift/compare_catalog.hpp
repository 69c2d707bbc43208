// Is the database as its last run left it? Its catalog, read now, against the one that the ledger recorded: no scratch database
// and no revision file is needed.
//
// Where nothing comparable was recorded the answer is that it is not known, and why; never that nothing changed.
//
// Threads: one thread. Ownership: the session is borrowed for the call; it must be in no transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/drift/catalog_record.hpp"
#include "migrations/drift/recorded_catalog.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/inspect.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct DriftSettings {
  std::string ledger_schema = "athanor";
  std::string version_table = "alembic_version";
  // Kinds decide what is recorded, names what is compared.
  schema::InspectOptions compare{};
  std::vector<std::string> exclude{};  // DriftFilter::exclude
  std::string actor{};
};

struct DriftCheck {
  enum class State : std::uint8_t { Same, Changed, Unknown };
  State state = State::Unknown;
  std::string unknown{};  // why it is not known: "no catalog is recorded"
  std::optional<SchemaRecord> record{};
  // What the database has too much ("+ …"), lacks ("- …") and has otherwise ("~ …").
  std::vector<std::string> lines{};
  // Kinds that are to be compared and were not recorded.
  std::vector<std::string> missing_kinds{};
  // Both sides of a change.
  std::optional<schema::Catalog> live{};
  std::optional<schema::Catalog> expected{};

  // "revision 8c1f was applied at 2026-11-21T02:10:00+00:00", or when the state was accepted, by whom.
  [[nodiscard]] std::string since() const;
};

// Reads the catalog only when there is something to compare it with. Errors are the server's, and UntrustedTable.
[[nodiscard]] Result<DriftCheck> check_drift(Session& session, const DriftSettings& settings);

// DriftCheck::lines of two catalogs that hold more than what is to be compared.
[[nodiscard]] std::vector<std::string> drift_lines(const DriftSettings& settings, const schema::Catalog& live,
                                                   const schema::Catalog& expected);

// The catalog as it is recorded: of all schemas, without own tables and secrets, with the kinds that `kinds` names.
[[nodiscard]] Result<schema::Catalog> read_catalog_now(Session& session, const DriftSettings& settings,
                                                       const std::vector<std::string>& kinds);

// Records the present catalog as the expected one. The caller holds the migration lock, and has a ledger.
[[nodiscard]] Result<void> accept_catalog(Session& session, const DriftSettings& settings, const std::string& run_id);

}  // namespace athanor
