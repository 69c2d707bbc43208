#include "migrations/execute/version_column.hpp"

#include <string>

#include "migrations/revision/revision_id.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

std::string widening(const VersionTable& versions) {
  return "ALTER TABLE " + versions.qualified() + " ALTER COLUMN version_num TYPE varchar(" +
         std::to_string(kMaxRevisionIdLength) + ")";
}

// The longest id that the plan will write. Existing rows fit already.
std::string longest_row(const Plan& plan) {
  std::string longest;
  for (const PlannedRevision& revision : plan.revisions) {
    for (const RowOperation& operation : revision.walk.operations) {
      if (count_characters(operation.to) > count_characters(longest)) {
        longest = operation.to;
      }
    }
  }
  return longest;
}

}  // namespace

Result<void> fit_version_column(Session& session, const VersionTable& versions, const Plan& plan, bool was_there) {
  const std::string longest = longest_row(plan);
  const std::size_t length = count_characters(longest);
  // Alembic creates the column with this length, so no query is needed.
  if (length <= kDefaultIdLength) {
    return {};
  }
  if (!was_there) {
    TRY(session.query(widening(versions)));
    return session.recover();  // event triggers may have run and changed settings
  }
  // atttypmod of varchar is its length plus four; text has -1.
  TRY_ASSIGN(const Rows rows,
             session.query("SELECT CASE WHEN atttypmod OPERATOR(pg_catalog.>) 4 THEN atttypmod OPERATOR(pg_catalog.-) 4 ELSE " +
                           std::to_string(kMaxRevisionIdLength) +
                           " END FROM pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) " +
                           quote_literal(versions.qualified()) +
                           "::pg_catalog.regclass AND attname OPERATOR(pg_catalog.=) 'version_num'"));
  const std::string held = rows.empty() ? std::string("0") : rows.text(0, 0);
  if (std::stoul(held) < length) {
    return fail(Error(ErrorCode::InvalidRevisionId, "the column version_num of " + versions.qualified() + " holds " + held +
                                                        " characters, and revision " + longest + " has " +
                                                        std::to_string(length) + "; nothing was applied")
                    .advise("widen it; Alembic needs this too: " + widening(versions)));
  }
  return {};
}

}  // namespace athanor
