#include "operator/reconcile/plan_text.hpp"

#include <utility>

#include "migrations/base/utf8.hpp"
#include "migrations/text/printable.hpp"

namespace athanor::controller {
namespace {

// Distributes pieces of text over pages.
class Pages {
 public:
  explicit Pages(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  void add(std::string_view piece) {
    if (!pages_.empty() && pages_.back().size() + piece.size() <= most_bytes_) {
      pages_.back() += piece;
      return;
    }
    while (piece.size() > most_bytes_) {
      const std::string_view part = cut_at_character(piece, most_bytes_);
      pages_.emplace_back(part);
      piece.remove_prefix(part.size());
    }
    pages_.emplace_back(piece);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(pages_); }

 private:
  std::size_t most_bytes_;
  std::vector<std::string> pages_;
};

std::string heading(const Plan& plan, const std::string& hash, std::size_t destructive) {
  return "-- Plan " + hash + "\n-- " + std::string(direction_name(plan.operation)) + " of " +
         std::to_string(plan.revisions.size()) + (plan.revisions.size() == 1 ? " revision, " : " revisions, ") +
         std::to_string(destructive) + (destructive == 1 ? " destructive statement\n" : " destructive statements\n");
}

}  // namespace

std::vector<std::string> plan_pages(const Plan& plan, const std::string& hash, std::size_t most_bytes) {
  Pages pages(most_bytes);
  pages.add(heading(plan, hash, destructive_statements(plan).size()));
  std::size_t number = 0;
  for (const auto& revision : plan.revisions) {
    const std::string id = revision.walk.revision.value_or("stamp");
    pages.add("\n-- " + std::string(direction_name(revision.walk.direction)) + " " + id + ", " +
              printable(revision.message, LineEnds::Escape) + "\n");
    if (!revision.script) {
      continue;
    }
    for (const auto& step : revision.steps()) {
      for (const auto& statement : step.statements) {
        std::string text = "-- [" + std::to_string(++number) + "] " + id + ", line " + std::to_string(statement.line) + ", " +
                           std::string(step_kind_name(step.kind));
        text += destroyed_by(statement.sql).empty() ? "\n" : ", DESTRUCTIVE\n";
        pages.add(text + printable(statement.sql) + ";\n");
      }
    }
  }
  return pages.take();
}

}  // namespace athanor::controller
