#include "migrations/text/strict_yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <optional>
#include <streambuf>
#include <unordered_map>
#include <utility>

#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

// Exits yaml-cpp's parser from within an event handler.
struct Refusal {
  std::string message;
  std::string hint;
  std::size_t line;
  std::size_t column;
};

class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* start = const_cast<char*>(text.data());  // streambuf never writes to a get area
    setg(start, start, start + text.size());
  }
};

std::size_t line_of(const YAML::Mark& mark) {
  return static_cast<std::size_t>(std::max(mark.line, 0)) + 1;
}
std::size_t column_of(const YAML::Mark& mark) {
  return static_cast<std::size_t>(std::max(mark.column, 0)) + 1;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, YamlLimits limits) : text_(text), limits_(limits) {}

  [[nodiscard]] std::vector<YamlNode> take() { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp returns empty documents forever at a token that cannot begin a document, such as a stray "}".
    if (document_start_ == mark.pos) {
      throw Refusal{"invalid YAML: unexpected token", "", line_of(mark), column_of(mark)};
    }
    document_start_ = mark.pos;
    if (!documents_.empty() && !text_.substr(static_cast<std::size_t>(std::max(mark.pos, 0))).starts_with("---")) {
      throw Refusal{"invalid YAML: unexpected content after the document",
                    "correct the indentation, or start a new document with `---`", line_of(mark), column_of(mark)};
    }
    root_ = YamlNode{};
    root_.line = line_of(mark);
  }
  void OnDocumentEnd() override { documents_.push_back(std::exchange(root_, YamlNode{})); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "?", anchor);
    if (wants_key()) {
      throw Refusal{"a key must not be empty", "", line_of(mark), column_of(mark)};
    }
    add(node_at(mark, YamlNode::Kind::Null));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw Refusal{"aliases are not allowed", "write out the value", line_of(mark), column_of(mark)};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    check(mark, tag, anchor);
    if (tag == "!") {
      check_closed(mark);
    }
    if (wants_key()) {
      take_key(mark, value);
      return;
    }
    auto node = node_at(mark, YamlNode::Kind::Scalar);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlNode::Kind::Sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlNode::Kind::Mapping);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    std::unordered_map<std::string, std::size_t> key_lines;
    bool has_key = false;
  };

  static YamlNode node_at(const YAML::Mark& mark, YamlNode::Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.line = line_of(mark);
    node.column = column_of(mark);
    return node;
  }

  static void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      throw Refusal{"anchors are not allowed", "write out the value where it is used", line_of(mark), column_of(mark)};
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refusal{"tags are not allowed", "remove the tag; quote a value that is text", line_of(mark), column_of(mark)};
    }
  }

  // yaml-cpp accepts a quote that the end of the text closes.
  void check_closed(const YAML::Mark& mark) const {
    auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
    const char quote = at < text_.size() ? text_[at] : '\0';
    if (quote != '\'' && quote != '"') {
      return;  // a block scalar
    }
    for (++at; at < text_.size(); ++at) {
      const bool escaped = quote == '"' && text_[at] == '\\';
      const bool doubled = quote == '\'' && text_[at] == quote && at + 1 < text_.size() && text_[at + 1] == quote;
      if (escaped || doubled) {
        ++at;
      } else if (text_[at] == quote) {
        return;
      }
    }
    throw Refusal{"invalid YAML: unterminated quote", "", line_of(mark), column_of(mark)};
  }

  [[nodiscard]] bool wants_key() const {
    return !frames_.empty() && frames_.back().node.kind == YamlNode::Kind::Mapping && !frames_.back().has_key;
  }

  void take_key(const YAML::Mark& mark, const std::string& key) {
    Frame& frame = frames_.back();
    const auto [first, fresh] = frame.key_lines.try_emplace(key, line_of(mark));
    if (!fresh) {
      throw Refusal{"key `" + key + "` is given twice, first on line " + std::to_string(first->second), "keep one of them",
                    line_of(mark), column_of(mark)};
    }
    frame.node.entries.push_back({key, line_of(mark), column_of(mark), {}});
    frame.has_key = true;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    check(mark, tag, anchor);
    if (wants_key()) {
      throw Refusal{"a key must be text", "", line_of(mark), column_of(mark)};
    }
    if (frames_.size() >= limits_.max_depth) {
      throw Refusal{"nested more than " + std::to_string(limits_.max_depth) + " deep", "", line_of(mark), column_of(mark)};
    }
    frames_.push_back({node_at(mark, kind), {}, false});
  }

  void close() {
    YamlNode node = std::move(frames_.back().node);
    frames_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == YamlNode::Kind::Sequence) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    frame.node.entries.back().value = std::move(node);
    frame.has_key = false;
  }

  std::string_view text_;
  YamlLimits limits_;
  std::optional<int> document_start_;
  std::vector<YamlNode> documents_;
  YamlNode root_;
  std::vector<Frame> frames_;
};

// Refuses input that yaml-cpp must not parse: directives, and lines with thousands of opening brackets, which its scanner would
// all keep in memory before reporting anything. No legitimate line has that many.
void check_lines(std::string_view text, YamlLimits limits) {
  constexpr std::size_t kMostOpenOnOneLine = 1'000;
  std::size_t line = 1;
  std::size_t start = 0;
  std::size_t open = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      ++line;
      start = at + 1;
      open = 0;
    } else if (c == '[' || c == '{') {
      if (++open > kMostOpenOnOneLine) {
        throw Refusal{"nested more than " + std::to_string(limits.max_depth) + " deep", "", line, at - start + 1};
      }
    } else if (c == ']' || c == '}') {
      open -= open > 0 ? 1 : 0;
    } else if (c == '%' && at == start) {
      throw Refusal{"directives are not allowed", "remove the line", line, 1};
    }
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Recognises an optional sign, digits with at most one point, an optional exponent; 0x and 0o numbers; infinities and
// not-a-number.
YamlSpelling number_spelling(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN"};
  if (std::ranges::find(kWords, text) != kWords.end()) {
    return YamlSpelling::Real;
  }
  if (text.starts_with("0x") || text.starts_with("0o")) {
    const auto digits = text.substr(2);
    const auto* allowed = text[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
    return !digits.empty() && digits.find_first_not_of(allowed) == std::string_view::npos ? YamlSpelling::Integer
                                                                                          : YamlSpelling::Text;
  }
  if (text.starts_with('+') || text.starts_with('-')) {
    text.remove_prefix(1);
  }
  const auto take_digits = [&text] {
    std::size_t count = 0;
    while (!text.empty() && is_digit(text.front())) {
      text.remove_prefix(1);
      ++count;
    }
    return count;
  };
  std::size_t digits = take_digits();
  bool real = false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += take_digits();
    real = true;
  }
  if (digits == 0) {
    return YamlSpelling::Text;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) {
      text.remove_prefix(1);
    }
    real = true;
    if (take_digits() == 0) {
      return YamlSpelling::Text;
    }
  }
  return !text.empty() ? YamlSpelling::Text : real ? YamlSpelling::Real : YamlSpelling::Integer;
}

std::string where(const std::string& name, std::size_t line, std::size_t column) {
  return place(name, line) + ':' + std::to_string(column);
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &YamlEntry::key);
  return found == entries.end() ? nullptr : &found->value;
}

YamlSpelling spelling(const YamlNode& scalar) {
  if (scalar.quoted || scalar.text.empty()) {
    return YamlSpelling::Text;
  }
  constexpr std::array<std::string_view, 18> kBooleans{"true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES",
                                                       "no",   "No",   "NO",   "on",    "On",    "ON",    "off", "Off", "OFF"};
  if (std::ranges::find(kBooleans, scalar.text) != kBooleans.end()) {
    return YamlSpelling::Boolean;
  }
  return number_spelling(scalar.text);
}

Result<std::vector<YamlNode>> parse_yaml(std::string_view text, const std::string& name, YamlLimits limits) {
  if (text.size() > limits.max_bytes) {
    return fail(Error(ErrorCode::FileTooLarge, "the file has " + std::to_string(text.size()) +
                                                   " bytes, more than the limit of " + std::to_string(limits.max_bytes))
                    .at(name));
  }
  TRY(check_text(text, name));
  text = without_byte_order_mark(text);
  TreeBuilder builder(text, limits);
  try {
    check_lines(text, limits);
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return fail(
        Error(ErrorCode::Configuration, refusal.message).at(where(name, refusal.line, refusal.column)).advise(refusal.hint));
  } catch (const YAML::Exception& exception) {
    return fail(Error(ErrorCode::Configuration, "invalid YAML: " + exception.msg)
                    .at(where(name, line_of(exception.mark), column_of(exception.mark))));
  } catch (const std::exception&) {  // a parser may throw other exceptions on malicious input
    return fail(Error(ErrorCode::Configuration, "invalid YAML").at(name));
  }
  return builder.take();
}

}  // namespace athanor
