// Detects drift: compares the current catalog of the database with the one that the ledger recorded. It needs no scratch
// database and no revision files.
//
// If there is no comparable record, the result is Unknown with the reason, never Same.
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
#include "migrations/schema/filter_matches.hpp"
#include "migrations/schema/inspect.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct DriftSettings {
  std::string ledger_schema = "athanor";
  std::string version_table = "alembic_version";
  // Its kinds decide what is recorded, its names what is compared.
  schema::InspectOptions compare{};
  std::vector<std::string> exclude{};  // DriftFilter::exclude
  std::string actor{};
};

struct DriftCheck {
  enum class State : std::uint8_t { Same, Changed, Unknown };
  State state = State::Unknown;
  std::string unknown{};  // the reason for Unknown: "no catalog is recorded"
  std::optional<SchemaRecord> record{};
  // What the database has in addition ("+ …"), lacks ("- …") and has differently ("~ …").
  std::vector<std::string> lines{};
  // Kinds that should be compared but were not recorded.
  std::vector<std::string> missing_kinds{};
  // Patterns of the filter that match nothing on either side.
  schema::UnmatchedPatterns unmatched{};
  // Both sides, if the state is Changed.
  std::optional<schema::Catalog> live{};
  std::optional<schema::Catalog> expected{};

  // "revision 8c1f was run at 2026-11-21T02:10:00+00:00", or when and by whom the state was accepted.
  [[nodiscard]] std::string since() const;
};

// Compares. Reads the catalog only if there is a comparable record. Errors are the server's, and UntrustedTable.
[[nodiscard]] Result<DriftCheck> check_drift(Session& session, const DriftSettings& settings);

// DriftCheck::lines for two catalogs that contain more than the part to compare.
[[nodiscard]] std::vector<std::string> drift_lines(const DriftSettings& settings, const schema::Catalog& live,
                                                   const schema::Catalog& expected);

// Reads the current catalog for recording: all schemas, without version tables and secrets, with the kinds in `kinds`.
[[nodiscard]] Result<schema::Catalog> read_catalog_now(Session& session, const DriftSettings& settings,
                                                       const std::vector<std::string>& kinds);

// Records the current catalog as the expected one. The caller must hold the migration lock, and the ledger must exist.
[[nodiscard]] Result<void> accept_catalog(Session& session, const DriftSettings& settings, const std::string& run_id);

}  // namespace athanor
