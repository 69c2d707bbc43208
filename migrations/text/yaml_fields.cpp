#include "migrations/text/yaml_fields.hpp"

#include <algorithm>
#include <charconv>

#include "migrations/text/duration.hpp"
#include "migrations/text/suggestion.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

std::string found_kind(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::Null:
      return "nothing";
    case YamlNode::Kind::Sequence:
      return "a list";
    case YamlNode::Kind::Mapping:
      return "a mapping";
    case YamlNode::Kind::Scalar:
      break;
  }
  switch (spelling(node)) {
    case YamlSpelling::Boolean:
      return "a boolean";
    case YamlSpelling::Integer:
    case YamlSpelling::Real:
      return "a number";
    case YamlSpelling::Text:
      break;
  }
  return "text";
}

// "windows[3].schedule" without the number.
std::string without_indices(std::string path) {
  for (auto open = path.find('['); open != std::string::npos; open = path.find('[', open + 1)) {
    path.erase(open + 1, path.find(']', open) - open - 1);
  }
  return path;
}

}  // namespace

YamlFields::YamlFields(const YamlNode& mapping, std::string file, std::string path)
    : mapping_(mapping), file_(std::move(file)), path_(std::move(path)) {
  if (mapping.kind != YamlNode::Kind::Mapping && mapping.kind != YamlNode::Kind::Null) {
    fault(mapping, path_, "expected a mapping, found " + found_kind(mapping));
  }
}

std::string YamlFields::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void YamlFields::fault(const YamlNode& node, const std::string& path, std::string message, std::string hint) {
  if (error_) {
    return;
  }
  auto text = path.empty() ? std::move(message) : "field `" + path + "`: " + message;
  error_ = Error(ErrorCode::Configuration, std::move(text)).at(place(file_, node.line)).advise(std::move(hint));
}

std::string YamlFields::where(std::string_view key) const {
  const auto* node = mapping_.find(key);
  return place(file_, node != nullptr ? node->line : mapping_.line);
}

void YamlFields::refuse(std::string_view key, std::string message, std::string hint) {
  const auto* node = mapping_.find(key);
  fault(node != nullptr ? *node : mapping_, path_of(key), std::move(message), std::move(hint));
}

const YamlNode* YamlFields::node(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) {
    known_.emplace_back(key);
    if (asked_ != nullptr) {
      asked_->insert(without_indices(path_of(key)));
    }
  }
  return mapping_.find(key);
}

const YamlNode* YamlFields::present(std::string_view key) {
  const auto* found = node(key);
  return found == nullptr || found->kind == YamlNode::Kind::Null ? nullptr : found;
}

bool YamlFields::has(std::string_view key) {
  return present(key) != nullptr;
}

bool YamlFields::take_text(const YamlNode& node, const std::string& path, std::string& value) {
  const auto found = found_kind(node);
  if (node.kind != YamlNode::Kind::Scalar || found != "text") {
    const bool quotable = node.kind == YamlNode::Kind::Scalar;
    fault(node, path, "expected text, found " + found, quotable ? "put the value in quotes" : "");
    return false;
  }
  value = node.text;
  return true;
}

void YamlFields::text(std::string_view key, std::string& value) {
  if (const auto* found = present(key)) {
    (void)take_text(*found, path_of(key), value);
  }
}

void YamlFields::required_text(std::string_view key, std::string& value) {
  if (!has(key)) {
    fault(mapping_, path_of(key), "is required");
    return;
  }
  text(key, value);
  if (value.empty()) {
    refuse(key, "must not be empty");
  }
}

void YamlFields::choice(std::string_view key, std::string& value, std::vector<std::string_view> allowed) {
  const auto* found = present(key);
  std::string chosen;
  if (found == nullptr || !take_text(*found, path_of(key), chosen)) {
    return;
  }
  if (std::ranges::find(allowed, chosen) != allowed.end()) {
    value = std::move(chosen);
    return;
  }
  std::string list;
  for (const auto name : allowed) {
    list += list.empty() ? "" : ", ";
    list += name;
  }
  const auto near = closest_name(chosen, allowed);
  fault(*found, path_of(key), "is not one of " + list, near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
}

void YamlFields::flag(std::string_view key, bool& value) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  if (found->kind == YamlNode::Kind::Scalar && !found->quoted) {
    if (found->text == "true" || found->text == "false") {
      value = found->text == "true";
      return;
    }
    if (spelling(*found) == YamlSpelling::Boolean) {
      fault(*found, path_of(key), "expected true or false, found `" + found->text + "`", "write true or false");
      return;
    }
  }
  fault(*found, path_of(key), "expected true or false, found " + found_kind(*found));
}

std::optional<std::int64_t> YamlFields::whole_number(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto* found = present(key);
  if (found == nullptr) {
    return std::nullopt;
  }
  std::int64_t number = 0;
  const char* end = found->text.data() + found->text.size();
  const auto [stop, error] = std::from_chars(found->text.data(), end, number);
  // A quoted number is text.
  if (found->kind != YamlNode::Kind::Scalar || found->quoted || error == std::errc::invalid_argument || stop != end) {
    fault(*found, path_of(key), "expected a whole number, found " + found_kind(*found));
    return std::nullopt;
  }
  if (error != std::errc{} || number < least || number > most) {
    fault(*found, path_of(key), "must lie between " + std::to_string(least) + " and " + std::to_string(most));
    return std::nullopt;
  }
  return number;
}

void YamlFields::duration(std::string_view key, std::chrono::milliseconds& value) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  if (found->kind != YamlNode::Kind::Scalar) {
    fault(*found, path_of(key), "expected a duration, found " + found_kind(*found));
    return;
  }
  auto parsed = parse_duration(found->text);
  if (!parsed) {
    fault(*found, path_of(key), parsed.error().message, parsed.error().hint);
    return;
  }
  value = *parsed;
}

void YamlFields::size(std::string_view key, std::size_t& value) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  const auto parsed = found->kind == YamlNode::Kind::Scalar
                          ? parse_size(found->text)
                          : fail(ErrorCode::Configuration, "expected a size, found " + found_kind(*found));
  if (!parsed) {
    fault(*found, path_of(key), parsed.error().message, parsed.error().hint);
    return;
  }
  value = *parsed;
}

void YamlFields::take_texts(const YamlNode& node, std::string_view key, std::vector<std::string>& value) {
  std::vector<std::string> texts;
  for (std::size_t index = 0; index < node.items.size(); ++index) {
    std::string text;
    if (!take_text(node.items[index], path_of(key) + "[" + std::to_string(index) + "]", text)) {
      return;
    }
    texts.push_back(std::move(text));
  }
  value = std::move(texts);
}

void YamlFields::text_list(std::string_view key, std::vector<std::string>& value) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  if (found->kind != YamlNode::Kind::Sequence) {
    fault(*found, path_of(key), "expected a list, found " + found_kind(*found));
    return;
  }
  take_texts(*found, key, value);
}

void YamlFields::text_or_list(std::string_view key, std::vector<std::string>& value) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  if (found->kind == YamlNode::Kind::Sequence) {
    take_texts(*found, key, value);
    return;
  }
  if (std::string text; take_text(*found, path_of(key), text)) {
    value = {std::move(text)};
  }
}

void YamlFields::text_map(std::string_view key, std::vector<std::pair<std::string, std::string>>& value) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  if (found->kind != YamlNode::Kind::Mapping) {
    fault(*found, path_of(key), "expected a mapping, found " + found_kind(*found));
    return;
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& entry : found->entries) {
    std::string text;
    if (!take_text(entry.value, path_of(key) + "." + entry.key, text)) {
      return;
    }
    pairs.emplace_back(entry.key, std::move(text));
  }
  value = std::move(pairs);
}

void YamlFields::nest(const YamlNode& node, const std::string& path, const std::function<void(YamlFields&)>& read) {
  YamlFields nested(node, file_, path);
  nested.asked_ = asked_;
  if (!nested.error_) {
    read(nested);
  }
  if (auto finished = nested.finish(); !finished && !error_) {
    error_ = std::move(finished).error();
  }
}

void YamlFields::mapping(std::string_view key, const std::function<void(YamlFields&)>& read) {
  if (const auto* found = present(key)) {
    nest(*found, path_of(key), read);
  }
}

void YamlFields::mappings(std::string_view key, const std::function<void(YamlFields&)>& read) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  if (found->kind != YamlNode::Kind::Sequence) {
    fault(*found, path_of(key), "expected a list, found " + found_kind(*found));
    return;
  }
  for (std::size_t index = 0; index < found->items.size(); ++index) {
    nest(found->items[index], path_of(key) + "[" + std::to_string(index) + "]", read);
  }
}

void YamlFields::named_mappings(std::string_view key, const std::function<void(const std::string&, YamlFields&)>& read) {
  const auto* found = present(key);
  if (found == nullptr) {
    return;
  }
  if (found->kind != YamlNode::Kind::Mapping) {
    fault(*found, path_of(key), "expected a mapping, found " + found_kind(*found));
    return;
  }
  for (const auto& entry : found->entries) {
    nest(entry.value, path_of(key) + "." + entry.key, [&](YamlFields& fields) { read(entry.key, fields); });
  }
}

Result<void> YamlFields::finish() {
  if (error_) {
    return fail(*error_);
  }
  for (const auto& entry : mapping_.entries) {
    if (std::ranges::find(known_, entry.key) == known_.end()) {
      const std::vector<std::string_view> names(known_.begin(), known_.end());
      return fail(Error(ErrorCode::Configuration, "field `" + path_of(entry.key) + "`: unknown field")
                      .at(place(file_, entry.line))
                      .advise(suggest(entry.key, names)));
    }
  }
  return {};
}

}  // namespace athanor
