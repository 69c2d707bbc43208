#include "migrations/schema/catalog.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "migrations/base/sha256.hpp"
#include "migrations/schema/settled_text.hpp"

namespace athanor::schema {
namespace {

// Prefix each part with its length, so that different sequences of parts never produce the same bytes.
void digest_part(Sha256& digest, std::string_view part) {
  digest.update(std::to_string(part.size()));
  digest.update(":");
  digest.update(part);
}

void digest_id(Sha256& digest, const FactId& id) {
  digest_part(digest, kind_name(id.kind));
  digest_part(digest, kind_name(id.subject));
  for (const std::string* part : {&id.schema, &id.parent, &id.name, &id.arguments, &id.grantee, &id.column}) {
    digest_part(digest, *part);
  }
}

}  // namespace

std::uint32_t Catalog::add(Fact fact) {
  std::ranges::sort(fact.attributes, {}, &Attribute::name);
  facts_.push_back(std::move(fact));
  return static_cast<std::uint32_t>(facts_.size() - 1);
}

void Catalog::add_all(std::vector<Fact> facts) {
  for (Fact& fact : facts) {
    std::ranges::sort(fact.attributes, {}, &Attribute::name);
  }
  if (facts_.empty()) {
    facts_ = std::move(facts);
  } else {
    std::ranges::move(facts, std::back_inserter(facts_));
  }
}

void Catalog::seal() {
  std::ranges::for_each(facts_, settle_text);
  std::vector<std::uint32_t> order(facts_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [this](std::uint32_t left, std::uint32_t right) { return facts_[left].id < facts_[right].id; });
  std::vector<std::uint32_t> place(facts_.size());
  for (std::uint32_t index = 0; index < order.size(); ++index) {
    place[order[index]] = index;
  }
  // Permute in place, cycle by cycle: a second copy of all facts would be most of the memory that an inspection needs.
  for (std::uint32_t start = 0; start < order.size(); ++start) {
    for (std::uint32_t to = start; order[to] != to;) {
      const std::uint32_t from = order[to];
      order[to] = to;
      if (from == start) {
        break;
      }
      std::swap(facts_[to], facts_[from]);
      to = from;
    }
  }
  for (Edge& edge : edges_) {
    edge = {place[edge.from], place[edge.to]};
  }
  // Several server objects can belong to one fact, so their dependencies become self-edges and duplicates.
  std::erase_if(edges_, [](const Edge& edge) { return edge.from == edge.to; });
  std::ranges::sort(edges_);
  const auto repeated = std::ranges::unique(edges_);
  edges_.erase(repeated.begin(), repeated.end());
  for (OutsideDependent& dependent : outside_) {
    dependent.on = place[dependent.on];
  }
  std::ranges::sort(outside_);
  const auto reported_twice = std::ranges::unique(outside_);
  outside_.erase(reported_twice.begin(), reported_twice.end());
  reverse_ = edges_;
  std::ranges::sort(reverse_, [](const Edge& left, const Edge& right) {
    return std::pair(left.to, left.from) < std::pair(right.to, right.from);
  });
}

std::optional<std::uint32_t> Catalog::index_of(const FactId& id) const {
  const auto found = std::ranges::lower_bound(facts_, id, {}, &Fact::id);
  if (found == facts_.end() || found->id != id) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(found - facts_.begin());
}

const Fact* Catalog::find(const FactId& id) const {
  const std::optional<std::uint32_t> index = index_of(id);
  return index ? &facts_[*index] : nullptr;
}

std::span<const Edge> Catalog::needs(std::uint32_t fact) const {
  const auto found = std::ranges::equal_range(edges_, fact, {}, &Edge::from);
  return {found.begin(), found.end()};
}

std::span<const Edge> Catalog::needed_by(std::uint32_t fact) const {
  const auto found = std::ranges::equal_range(reverse_, fact, {}, &Edge::to);
  return {found.begin(), found.end()};
}

std::string Catalog::fingerprint() const {
  Sha256 digest;
  for (const Fact& fact : facts_) {
    digest_id(digest, fact.id);
    digest_part(digest, std::to_string(fact.attributes.size()));
    for (const Attribute& attribute : fact.attributes) {
      digest_part(digest, attribute.name);
      digest_part(digest, attribute.value);
    }
  }
  return digest.finish();
}

}  // namespace athanor::schema
