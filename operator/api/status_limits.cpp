#include "operator/api/status_limits.hpp"

#include <algorithm>
#include <utility>

#include "migrations/base/clock.hpp"
#include "migrations/base/utf8.hpp"
#include "migrations/text/printable.hpp"
#include "operator/api/status_fields.hpp"

namespace athanor::controller {
namespace {

using status::Items;
using status::Length;

constexpr std::size_t kTimeLength = 64;
constexpr std::size_t kShortestTime = 20;  // "2026-11-21T02:10:00Z"
constexpr std::size_t kConditions = 16;
constexpr std::string_view kEnding = "...";

// Escapes control characters, because texts of revisions, branch names and approvals are shown in terminals.
void cut(std::string& text, std::size_t limit) {
  const bool plain = std::ranges::all_of(text, [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t'; });
  if (!plain) {
    text = printable(text);
  }
  if (text.size() <= limit) {
    return;
  }
  text.resize(cut_at_character(text, limit - std::min(limit, kEnding.size())).size());
  text += kEnding.substr(0, limit - text.size());
}

class Fitter {
 public:
  template <class T>
  using Of = T;

  void text(const char* /*name*/, std::string& value, Length limit) { cut(value, limit.bytes); }
  void time(const char* /*name*/, std::string& value) {
    // The API server would reject the whole status because of one malformed date-time.
    if (!value.empty() && (value.size() < kShortestTime || !parse_iso8601(value))) {
      value.clear();
    }
  }
  void maybe(const char* /*name*/, const std::int64_t& /*value*/) {}
  void always(const char* /*name*/, const std::int64_t& /*value*/) {}
  void known(const char* /*name*/, const std::optional<std::int64_t>& /*value*/) {}
  void always(const char* /*name*/, const bool& /*value*/) {}
  void phase(const char* /*name*/, Phase /*value*/) {}
  void maybe(const char* /*name*/, std::vector<std::string>& values, Items limit, Length of_each) {
    shorten(values, limit);
    for (auto& value : values) {
      cut(value, of_each.bytes);
    }
  }
  void always(const char* name, std::vector<std::string>& values, Items limit, Length of_each) {
    maybe(name, values, limit, of_each);
  }
  template <class T>
  void part(const char* /*name*/, std::optional<T>& value) {
    if (value) {
      status::fields(*this, *value);
    }
  }
  template <class T>
  void items(const char* /*name*/, std::vector<T>& values, Items limit) {
    shorten(values, limit);
    for (auto& value : values) {
      status::fields(*this, value);
    }
  }
  void conditions(const char* /*name*/, Conditions& values) {
    for (auto& value : values) {
      cut(value.message, kMaxMessageBytes);
    }
  }

 private:
  template <class T>
  static void shorten(std::vector<T>& values, Items limit) {
    if (values.size() > limit.count) {
      values.resize(limit.count);
    }
  }
};

class FieldLister {
 public:
  template <class T>
  using Of = const T;

  void text(const std::string& name, const std::string& /*value*/, Length limit) { add(name, "string", limit.bytes); }
  void time(const std::string& name, const std::string& /*value*/) { add(name, "date-time", kTimeLength); }
  void maybe(const std::string& name, std::int64_t /*value*/) { add(name, "integer"); }
  void always(const std::string& name, std::int64_t /*value*/) { add(name, "integer"); }
  void known(const std::string& name, const std::optional<std::int64_t>& /*value*/) { add(name, "integer"); }
  void always(const std::string& name, bool /*value*/) { add(name, "boolean"); }
  void phase(const std::string& name, Phase /*value*/) { add(name, "string", status::kWord.bytes); }
  void maybe(const std::string& name, const std::vector<std::string>& /*value*/, Items limit, Length of_each) {
    add(name, "string[]", of_each.bytes, limit.count);
  }
  void always(const std::string& name, const std::vector<std::string>& value, Items limit, Length of_each) {
    maybe(name, value, limit, of_each);
  }
  template <class T>
  void part(const std::string& name, const std::optional<T>& /*value*/) {
    add(name, "object");
    below<T>(name + ".");
  }
  template <class T>
  void items(const std::string& name, const std::vector<T>& /*value*/, Items limit) {
    add(name, "array", 0, limit.count);
    below<T>(name + "[].");
  }
  void conditions(const std::string& name, const Conditions& /*value*/) {
    add(name, "array", 0, kConditions);
    for (const char* const word : {"type", "status", "reason"}) {
      add(name + "[]." + word, "string", status::kWord.bytes);
    }
    add(name + "[].message", "string", kMaxMessageBytes);
    time(name + "[].lastTransitionTime", {});
    add(name + "[].observedGeneration", "integer");
  }

  std::vector<StatusField> found;

 private:
  void add(const std::string& name, std::string_view type, std::size_t length = 0, std::size_t count = 0) {
    found.push_back({before_ + name, type, length, count});
  }
  template <class T>
  void below(const std::string& name) {
    const std::string before = std::exchange(before_, before_ + name);
    status::fields(*this, T());
    before_ = before;
  }
  std::string before_;
};

template <class T>
void fit_part(T& part) {
  Fitter fitter;
  status::fields(fitter, part);
}

}  // namespace

void fit(DatabaseMigrationStatus& status) {
  fit_part(status);
}
void fit(ErrorStatus& error) {
  fit_part(error);
}
void fit(HistoryStatus& entry) {
  fit_part(entry);
}
void fit(SourceStatus& source) {
  fit_part(source);
}

bool shows_heads(const DatabaseMigrationStatus& status, const std::vector<std::string>& heads) {
  DatabaseMigrationStatus other;
  // Shorten the heads as the status was shortened; otherwise a long list would never be equal.
  other.current_revisions = heads;
  fit(other);
  return status.current_revisions == other.current_revisions;
}

bool shows_source_revision(const DatabaseMigrationStatus& status, const std::string& revision) {
  SourceStatus other;
  other.revision = revision;
  fit(other);
  return status.source && status.source->revision == other.revision;
}

std::vector<StatusField> status_fields() {
  FieldLister lister;
  const DatabaseMigrationStatus nothing;
  status::fields(lister, nothing);
  return std::move(lister.found);
}

}  // namespace athanor::controller
