// Typed access to the fields of a YAML mapping, with errors that name file, line and field.
//
//   YamlFields fields(document, "athanor.yaml");
//   fields.text("timezone", configuration.naming.timezone);
//   fields.mapping("execution", [&](YamlFields& execution) { execution.duration("lock_wait", settings.lock_wait); });
//   TRY(fields.finish());
//
// A field that is absent or null leaves its variable alone. The first fault is kept and returned by finish(), which also
// refuses fields nobody asked for, with a suggestion. Values are never repeated in a message: one of them may be a password.
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
  // `path` is the mapping's own name in messages; empty for the root. A null node counts as an empty mapping.
  YamlFields(const YamlNode& mapping, std::string file, std::string path = {});

  [[nodiscard]] bool has(std::string_view key);  // present and not null

  void text(std::string_view key, std::string& value);
  void required_text(std::string_view key, std::string& value);
  void choice(std::string_view key, std::string& value, std::vector<std::string_view> allowed);
  void flag(std::string_view key, bool& value);
  template <std::integral T>
  void integer(std::string_view key, T& value, std::int64_t least = std::numeric_limits<T>::min(),
               std::int64_t most = std::numeric_limits<T>::max()) {
    if (const auto number = whole_number(key, least, most)) {
      value = static_cast<T>(*number);
    }
  }
  void duration(std::string_view key, std::chrono::milliseconds& value);
  void size(std::string_view key, std::size_t& value);
  void text_list(std::string_view key, std::vector<std::string>& value);     // a list of texts
  void text_or_list(std::string_view key, std::vector<std::string>& value);  // or one text
  void text_map(std::string_view key, std::vector<std::pair<std::string, std::string>>& value);
  // A mapping below this one; the reader's finish() is called for it.
  void mapping(std::string_view key, const std::function<void(YamlFields&)>& read);
  // A list of mappings.
  void mappings(std::string_view key, const std::function<void(YamlFields&)>& read);
  // A mapping from free names to mappings.
  void named_mappings(std::string_view key, const std::function<void(const std::string&, YamlFields&)>& read);
  // The value as it stands; nullptr when absent. Counts as asked for.
  [[nodiscard]] const YamlNode* node(std::string_view key);

  // A fault of the caller's own about a field.
  void refuse(std::string_view key, std::string message, std::string hint = {});
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // "file:line" of a field, or of the mapping when it is absent.
  [[nodiscard]] std::string where(std::string_view key) const;

  // From now on the path of every field that is asked for goes into `paths`, of mappings below too ("windows[].schedule"). What
  // a reader knows can be compared with a schema this way. `paths` must outlive the reading.
  void tell_asked(std::set<std::string>& paths) { asked_ = &paths; }

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
