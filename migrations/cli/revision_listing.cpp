#include "migrations/cli/revision_listing.hpp"

#include "migrations/graph/history.hpp"

namespace athanor::cli {
namespace {

constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kCyan = "\x1b[36m";

std::string commas(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += text.empty() ? "" : ", ";
    text += word;
  }
  return text;
}

}  // namespace

std::string parents_text(const Revision& revision) {
  return join_revisions(revision.down);
}

RevisionListing::RevisionListing(const RevisionGraph& graph, bool color) : graph_(graph), color_(color) {
  for (std::string& head : graph.effective_heads()) {
    effective_heads_.insert(std::move(head));
  }
}

void RevisionListing::mark_current(const std::vector<std::string>& ids) {
  current_.insert(ids.begin(), ids.end());
}

std::string RevisionListing::accent(std::string_view code, std::string_view text) const {
  if (!color_) {
    return std::string(text);
  }
  return std::string(code) + std::string(text) + "\x1b[0m";
}

std::string RevisionListing::line(const Revision& revision, const LineOptions& options) const {
  std::string text;
  if (options.parents) {
    text += printable(parents_text(revision));
    if (!revision.depends_on.empty()) {
      text += " (" + printable(commas(revision.depends_on)) + ")";
    }
    text += " -> ";
  }
  text += accent(kYellow, printable(revision.id));
  if (options.labels) {
    if (const auto labels = graph_.branch_labels(revision.id); !labels.empty()) {
      text += accent(kCyan, " (" + printable(commas(labels)) + ")");
    }
  }
  if (ahead_.contains(revision.id)) {
    text += accent(kYellow, " (ahead of the files)");
  } else if (effective_heads_.contains(revision.id)) {
    text += accent(kGreen, " (head)");
  } else if (is_head(graph_, revision.id)) {
    text += accent(kGreen, " (effective head)");
  }
  if (current_.contains(revision.id)) {
    text += accent(kGreen, " (current)");
  }
  if (revision.id == half_applied_) {
    text += accent(kYellow, " (half-applied)");
  }
  if (options.forks) {
    text += is_branch_point(graph_, revision.id) ? " (branchpoint)" : "";
    text += is_merge_point(graph_, revision.id) ? " (mergepoint)" : "";
  }
  if (options.message) {
    text += ", " + printable(revision.message);
  }
  return text;
}

std::string RevisionListing::entry(const Revision& revision) const {
  std::string text = "Rev: " + accent(kYellow, printable(revision.id));
  if (ahead_.contains(revision.id)) {
    text += accent(kYellow, " (ahead of the files)");
  } else if (is_head(graph_, revision.id)) {
    text += accent(kGreen, " (head)");
  }
  text += is_branch_point(graph_, revision.id) ? " (branchpoint)" : "";
  text += is_merge_point(graph_, revision.id) ? " (mergepoint)" : "";
  text += current_.contains(revision.id) ? accent(kGreen, " (current)") : "";
  text += revision.id == half_applied_ ? accent(kYellow, " (half-applied)") : "";
  text += is_merge_point(graph_, revision.id) ? "\nMerges: " : "\nParent: ";
  text += printable(parents_text(revision)) + "\n";
  if (!revision.depends_on.empty()) {
    text += "Also depends on: " + printable(commas(revision.depends_on)) + "\n";
  }
  if (is_branch_point(graph_, revision.id)) {
    text += "Branches into: " + printable(commas(graph_.children(revision.id))) + "\n";
  }
  if (const auto labels = graph_.branch_labels(revision.id); !labels.empty()) {
    text += "Branch names: " + printable(commas(labels)) + "\n";
  }
  text += "Path: " + printable(revision.path) + "\n\n    " + printable(revision.message) + "\n    \n";
  text += "    Revision ID: " + printable(revision.id) + "\n    Revises: " + printable(commas(revision.down)) + "\n";
  if (!revision.created.empty()) {
    text += "    Create Date: " + printable(revision.created) + "\n";
  }
  return text + "\n";
}

Json RevisionListing::json(const Revision& revision) const {
  Json json = Json::object();
  json["revision"] = revision.id;
  json["down_revision"] = revision.down;
  json["depends_on"] = revision.depends_on;
  json["labels"] = graph_.branch_labels(revision.id);
  json["message"] = revision.message;
  json["created"] = revision.created;
  json["path"] = revision.path;
  json["format"] = revision.format == RevisionFormat::NativeSql ? "sql" : "alembic";
  const bool ahead = ahead_.contains(revision.id);
  json["is_head"] = is_head(graph_, revision.id) && !ahead;
  json["is_effective_head"] = effective_heads_.contains(revision.id) && !ahead;
  json["is_branch_point"] = is_branch_point(graph_, revision.id);
  json["is_merge_point"] = is_merge_point(graph_, revision.id);
  if (!current_.empty()) {
    json["is_current"] = current_.contains(revision.id);
  }
  return json;
}

}  // namespace athanor::cli
