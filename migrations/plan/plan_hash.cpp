#include "migrations/plan/plan_hash.hpp"

#include "migrations/base/sha256.hpp"

namespace athanor {
namespace {

// Each value is prefixed with its length, so that two different lists of values cannot produce the same text.
void add(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(" ").append(std::to_string(value.size())).append(":").append(value).append("\n");
}

std::string_view kind_name(RowOperation::Kind kind) {
  switch (kind) {
    case RowOperation::Kind::Insert:
      return "insert";
    case RowOperation::Kind::Delete:
      return "delete";
    case RowOperation::Kind::Update:
      return "update";
  }
  return "unknown";
}

}  // namespace

std::string plan_hash(const Plan& plan) {
  std::string text = "athanor plan 1\n";
  add(text, "operation", direction_name(plan.operation));
  for (const auto& row : plan.from) {
    add(text, "from", row);
  }
  for (const auto& revision : plan.revisions) {
    add(text, "step", direction_name(revision.walk.direction));
    if (revision.walk.revision) {
      add(text, "revision", *revision.walk.revision);
    }
    for (const auto& operation : revision.walk.operations) {
      add(text, "row", kind_name(operation.kind));
      add(text, "old", operation.from);
      add(text, "new", operation.to);
    }
    if (revision.script) {
      add(text, "checksum", revision.script->checksum);
    }
  }
  return sha256_hex(text);
}

}  // namespace athanor
