// Typed access to the fields of a YAML mapping, with errors that name file, line and field.
//
//   YamlFields fields(document, "athanor.yaml");
//   fields.text("timezone", configuration.naming.timezone);
//   fields.mapping("execution", [&](YamlFields& execution) { execution.duration("lock_wait", settings.lock_wait); });
//   TRY(fields.finish());
//
// A missing or null field leaves its variable unchanged. Reading continues after an error, so callers need no checks in
// between; finish() returns the first error, and refuses fields that were never read. Messages never contain values, because
// one of them may be a password.
//
// Threads: not shared. Ownership: refers to the node, which must outlive it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/text/strict_yaml.hpp"

namespace athanor {

class YamlFields {
 public:
  // `path` is the mapping's name in messages; empty for the root. A null node counts as an empty mapping.
  YamlFields(const YamlNode& mapping, std::string file, std::string path = {});

  [[nodiscard]] bool has(std::string_view key);  // not null

  // Scalars. Text must be spelled as text or quoted: a number or boolean is an error.
  void text(std::string_view key, std::string& value);
  // An error when the field is missing.
  void required_text(std::string_view key, std::string& value);
  // Must be one of `allowed`; the error lists them.
  void choice(std::string_view key, std::string& value, std::vector<std::string_view> allowed);
  // Only true and false.
  void flag(std::string_view key, bool& value);
  // Must be within [least, most].
  template <std::integral T>
  void integer(std::string_view key, T& value, std::int64_t least = std::numeric_limits<T>::min(),
               std::int64_t most = std::numeric_limits<T>::max()) {
    if (const auto number = whole_number(key, least, most)) {
      value = static_cast<T>(*number);
    }
  }
  void duration(std::string_view key, std::chrono::milliseconds& value);  // "500ms", "2s", "1h30m"
  // "64KiB", "16MiB"; see parse_size().
  void size(std::string_view key, std::size_t& value);
  void text_list(std::string_view key, std::vector<std::string>& value);     // a list of texts
  void text_or_list(std::string_view key, std::vector<std::string>& value);  // or a single text
  // A mapping from names to texts, in file order.
  void text_map(std::string_view key, std::vector<std::pair<std::string, std::string>>& value);
  // Calls `read` with the nested mapping if it is present. Do not call finish() on it: that is done automatically.
  void mapping(std::string_view key, const std::function<void(YamlFields&)>& read);
  // A list of mappings; calls `read` for each.
  void mappings(std::string_view key, const std::function<void(YamlFields&)>& read);
  // A mapping from arbitrary names to mappings.
  void named_mappings(std::string_view key, const std::function<void(const std::string&, YamlFields&)>& read);
  // The parsed value; nullptr when missing. Counts as read.
  [[nodiscard]] const YamlNode* node(std::string_view key);

  // Adds the caller's own error about a field, unless there is an error already.
  void refuse(std::string_view key, std::string message, std::string hint = {});

  [[nodiscard]] const std::string& path() const { return path_; }

  // "file:line" of a field, or of the mapping if the field is missing.
  [[nodiscard]] std::string where(std::string_view key) const;

  // For tests that compare a reader with a schema: from now on, adds the path of every field that is read to `paths`, including
  // nested ones ("windows[].schedule"). `paths` must outlive this object.
  void record_asked(std::set<std::string>& paths) { asked_ = &paths; }

  // Returns the first error, or an error for the first field that was never read, with a suggestion for its spelling. Error:
  // Configuration, with file, line and field. Call once, after reading everything.
  [[nodiscard]] Result<void> finish();

 private:
  [[nodiscard]] const YamlNode* present(std::string_view key);
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view key, std::int64_t least, std::int64_t most);
  [[nodiscard]] bool take_text(const YamlNode& node, const std::string& path, std::string& value);
  void take_texts(const YamlNode& node, std::string_view key, std::vector<std::string>& value);
  void nest(const YamlNode& node, const std::string& path, const std::function<void(YamlFields&)>& read);
  void fault(const YamlNode& node, const std::string& path, std::string message, std::string hint = {});

  const YamlNode& mapping_;
  std::string file_;
  std::string path_;
  std::vector<std::string> known_;
  std::set<std::string>* asked_ = nullptr;
  std::optional<Error> error_;
};

}  // namespace athanor
