#include "migrations/execute/version_column.hpp"

#include <charconv>
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

std::string version_width_query(const VersionTable& versions) {
  // atttypmod of varchar is its length plus four; text has -1.
  return "SELECT CASE WHEN atttypmod OPERATOR(pg_catalog.>) 4 THEN atttypmod OPERATOR(pg_catalog.-) 4 END FROM"
         " pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(" +
         quote_literal(versions.qualified()) + ") AND attname OPERATOR(pg_catalog.=) 'version_num'";
}

std::size_t version_width_in(const Rows& answer) {
  std::size_t width = kMaxRevisionIdLength;
  if (!answer.empty() && answer.cell(0, 0)) {
    const std::string text = answer.text(0, 0);
    std::from_chars(text.data(), text.data() + text.size(), width);
  }
  return width;
}

Result<void> fit_version_column(Session& session, const VersionTable& versions, const Plan& plan, const DatabaseState& state) {
  const std::string longest = longest_row(plan);
  const std::size_t length = count_characters(longest);
  if (!state.observation.has_version_table) {
    // We create the column with Alembic's length.
    if (length <= kDefaultIdLength) {
      return {};
    }
    TRY(session.query(widening(versions)));
    return session.recover();  // event triggers may have run and changed settings
  }
  const std::size_t width = state.version_width;
  if (width < length) {
    return fail(Error(ErrorCode::InvalidRevisionId, "the column version_num of " + versions.qualified() + " holds " +
                                                        std::to_string(width) + (width == 1 ? " character" : " characters") +
                                                        ", and revision " + longest + " has " + std::to_string(length) +
                                                        "; nothing was applied")
                    .advise("widen it; Alembic needs this too: " + widening(versions)));
  }
  return {};
}

}  // namespace athanor
