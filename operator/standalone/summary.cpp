#include "operator/standalone/summary.hpp"

#include <algorithm>
#include <array>

#include "operator/api/status_codec.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kColumns = 6;
using Line = std::array<std::string, kColumns>;

Line line_of(const DatabaseMigration& resource) {
  const auto& status = resource.status;
  const Condition* ready = find_condition(status.conditions, ConditionType::Ready);
  return {resource.key().text(),
          ready == nullptr ? "Unknown" : std::string(condition_status_name(ready->status)),
          ready == nullptr ? "" : std::string(reason_name(ready->reason)),
          heads_text(status.current_revisions, ","),
          status.target_revision,
          status.pending_count ? std::to_string(*status.pending_count) : ""};
}

}  // namespace

bool Summary::all_ready() const {
  return problems == 0 && std::ranges::all_of(resources, [](const DatabaseMigration& resource) { return resource.ready(); });
}

std::string summary_table(const Summary& summary) {
  std::vector<Line> lines{{"RESOURCE", "READY", "REASON", "CURRENT", "TARGET", "PENDING"}};
  for (const auto& resource : summary.resources) {
    lines.push_back(line_of(resource));
  }
  std::array<std::size_t, kColumns> widths{};
  for (const auto& line : lines) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      widths.at(column) = std::max(widths.at(column), line.at(column).size());
    }
  }
  std::string table;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t column = 0; column < kColumns; ++column) {
      row += line.at(column) + std::string(widths.at(column) - line.at(column).size() + 2, ' ');
    }
    row.erase(row.find_last_not_of(' ') + 1);
    table += row + "\n";
  }
  for (const auto& resource : summary.resources) {
    const Condition* ready = find_condition(resource.status.conditions, ConditionType::Ready);
    if (ready == nullptr || ready->status == ConditionStatus::True) {
      continue;
    }
    table += "\n" + resource.key().text() + ": " + ready->message + "\n";
    if (resource.status.last_error && !resource.status.last_error->hint.empty()) {
      table += "  " + resource.status.last_error->hint + "\n";
    }
  }
  return table;
}

std::string summary_json(const Summary& summary) {
  Json json = Json::object();
  json["success"] = summary.all_ready();
  const auto ready = std::ranges::count_if(summary.resources, [](const DatabaseMigration& item) { return item.ready(); });
  json["message"] = std::to_string(ready) + " of " + std::to_string(summary.resources.size()) + " resources are ready";
  json["manifestProblems"] = summary.problems;
  json["resources"] = Json::array();
  for (const auto& resource : summary.resources) {
    Json item = Json::object();
    item["name"] = resource.metadata.name;
    item["namespace"] = resource.metadata.name_space;
    item["generation"] = resource.metadata.generation;
    item["ready"] = resource.ready();
    item["status"] = status_to_json(resource.status);
    json["resources"].push_back(std::move(item));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace athanor::controller
