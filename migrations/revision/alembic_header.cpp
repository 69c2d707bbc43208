#include "migrations/revision/alembic_header.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "migrations/revision/python_source.hpp"
#include "migrations/revision/revision_id.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

enum class Name : std::uint8_t { Revision, DownRevision, BranchLabels, DependsOn };
constexpr std::array<std::string_view, 4> kNames{"revision", "down_revision", "branch_labels", "depends_on"};

std::optional<Name> header_name(std::string_view word) {
  const auto found = std::ranges::find(kNames, word);
  if (found == kNames.end()) {
    return std::nullopt;
  }
  return static_cast<Name>(found - kNames.begin());
}

std::string_view without_white_space(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// "0a12.py" is revision 0a12 even if the file does not say so: Alembic 0.1 wrote such files.
std::string_view id_from_file_name(std::string_view path) {
  const auto slash = path.rfind('/');
  auto stem = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (!stem.ends_with(".py")) {
    return {};
  }
  stem.remove_suffix(3);
  return stem.find_first_not_of("0123456789abcdef") == std::string_view::npos ? stem : std::string_view{};
}

class AlembicHeader {
 public:
  AlembicHeader(std::string_view text, bool whole, const std::string& path)
      : text_(without_byte_order_mark(text)), whole_(whole), path_(path), source_(text_) {}

  Result<std::optional<Revision>> parse() {
    bool ended = false;
    while (!ended && !source_.at_end()) {
      const std::size_t indent = source_.skip_indent();
      if (source_.skip_blank_line()) {
        continue;
      }
      if (inside_definition_ && indent <= definition_indent_) {
        inside_definition_ = false;
      }
      TRY_ASSIGN(ended, take_line(indent));
    }
    // The caller reads more of the file and parses again.
    if (starved_ || (!ended && !whole_)) {
      return std::optional<Revision>{};
    }
    return finish();
  }

 private:
  // Reads the statements of one logical line. Returns true when nothing after it can matter.
  Result<bool> take_line(std::size_t indent) {
    for (bool more = true; more; more = source_.skip_statement()) {
      source_.skip_space();
      TRY_ASSIGN(const bool done, take_statement(indent));
      if (done) {
        return true;
      }
    }
    return source_.fault() ? stumble() : Result<bool>(false);
  }

  // Only statements at the left margin count.
  Result<bool> take_statement(std::size_t indent) {
    const bool first = std::exchange(first_statement_, false);
    if (inside_definition_) {
      return false;
    }
    if (first && source_.at_string()) {
      take_docstring();
      return source_.fault() ? stumble() : Result<bool>(false);
    }
    const auto word = source_.take_name();
    if (word == "def" || word == "class" || word == "async") {
      inside_definition_ = true;
      definition_indent_ = indent;
      definitions_begun_ = definitions_begun_ || indent == 0;
      return indent == 0 && std::ranges::all_of(assigned_, [](bool assigned) { return assigned; });
    }
    const auto name = header_name(word);
    if (!name) {
      return false;
    }
    return take_assignment(*name, indent);
  }

  void take_docstring() {
    const auto text = source_.take_strings(false);
    if (!text || !source_.at_statement_end()) {
      return;
    }
    const auto description = without_white_space(*text);
    revision_.message = trim(description.substr(0, description.find('\n')));
    constexpr std::string_view kCreated = "Create Date:";
    for (std::size_t at = 0; at < description.size();) {
      const auto end = std::min(description.find('\n', at), description.size());
      const auto line = trim(description.substr(at, end - at));
      if (line.starts_with(kCreated)) {
        revision_.created = trim(line.substr(kCreated.size()));
        return;
      }
      at = end + 1;
    }
  }

  Result<bool> take_assignment(Name name, std::size_t indent) {
    const auto word = kNames[static_cast<std::size_t>(name)];
    const std::size_t start = source_.offset();
    source_.skip_space();
    if (source_.peek() == ':') {
      source_.advance();
      source_.skip_annotation();
    }
    const char next = source_.peek();
    const bool plain = next == '=' && source_.peek(1) != '=';
    const bool computed = next == ',' || (std::string_view("+-*/|&%@^").find(next) != std::string_view::npos && next != '\0' &&
                                          source_.peek(1) == '=');
    if (!plain && !computed) {
      return false;  // an annotation without a value, a call, an attribute
    }
    if (indent > 0) {
      return fault({"`" + std::string(word) + "` is assigned inside a block", "assign it once, at the left margin", start});
    }
    if (computed) {
      return fault({"`" + std::string(word) + "` is not assigned a literal",
                    "write `" + std::string(word) + " = ` and a literal: the header is read without running Python", start});
    }
    source_.advance();
    auto value = source_.take_literal(word);
    if (!value) {
      return fault(source_.fault().value_or(PythonSource::Fault{"the value cannot be read", "", start}));
    }
    assigned_[static_cast<std::size_t>(name)] = true;
    return store(name, std::move(*value), start);
  }

  Result<bool> store(Name name, PythonLiteral value, std::size_t offset) {
    if (std::ranges::any_of(value.items, [](const std::string& item) { return item.empty(); })) {
      const std::string word(kNames[static_cast<std::size_t>(name)]);
      return fault({"`" + word + "` holds an empty string", "write None if there is none", offset});
    }
    switch (name) {
      case Name::Revision:
        if (value.kind != PythonLiteral::Kind::Text) {
          return fault({"`revision` is not a string", "write the id in quotes", offset});
        }
        revision_.id = std::move(value.items.front());
        id_offset_ = offset;
        break;
      case Name::DownRevision:
        revision_.down = std::move(value.items);
        break;
      case Name::BranchLabels:
        revision_.labels = std::move(value.items);
        break;
      case Name::DependsOn:
        revision_.depends_on = std::move(value.items);
        break;
    }
    return false;
  }

  // After id, parents and the first definition were read, what cannot be parsed does not matter.
  Result<bool> stumble() {
    if (whole_ && definitions_begun_ && assigned_[0] && assigned_[1]) {
      return true;
    }
    return fault(source_.fault().value_or(PythonSource::Fault{"the file cannot be read", "", source_.offset()}));
  }

  // Truncated text looks faulty, too: without the whole file, a fault means "read more".
  Result<bool> fault(const PythonSource::Fault& found) {
    if (!whole_) {
      starved_ = true;
      return true;
    }
    return fail(
        Error(ErrorCode::MalformedRevision, found.message).at(place(path_, line_of(text_, found.offset))).advise(found.hint));
  }

  Result<std::optional<Revision>> finish() {
    if (!assigned_[static_cast<std::size_t>(Name::Revision)]) {
      revision_.id = id_from_file_name(path_);
      if (revision_.id.empty()) {
        return fail(Error(ErrorCode::MalformedRevision, "no `revision = \"...\"` at the left margin of the file")
                        .at(place(path_, 1))
                        .advise("add the assignment, or move the file out of the versions folder"));
      }
    }
    if (!assigned_[static_cast<std::size_t>(Name::DownRevision)]) {
      return fail(Error(ErrorCode::MalformedRevision, "no `down_revision = ...` at the left margin of the file")
                      .at(place(path_, 1))
                      .advise("name the parent; write `down_revision = None` for the first revision"));
    }
    if (auto checked = check_alembic_id(revision_.id); !checked) {
      return fail(std::move(checked.error()).at(place(path_, line_of(text_, id_offset_))));
    }
    revision_.path = path_;
    revision_.format = RevisionFormat::AlembicPython;
    return std::optional<Revision>(std::move(revision_));
  }

  std::string_view text_;
  bool whole_;
  const std::string& path_;
  PythonSource source_;
  Revision revision_;
  std::array<bool, kNames.size()> assigned_{};
  std::size_t id_offset_ = 0;
  std::size_t definition_indent_ = 0;
  bool inside_definition_ = false;
  bool definitions_begun_ = false;
  bool first_statement_ = true;
  bool starved_ = false;
};

}  // namespace

Result<std::optional<Revision>> parse_alembic_header(std::string_view text, bool whole, const std::string& path) {
  return AlembicHeader(text, whole, path).parse();
}

}  // namespace athanor
