#include "migrations/revision/native_header.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "migrations/revision/revision_id.hpp"
#include "migrations/text/letter_case.hpp"
#include "migrations/text/suggestion.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

enum class Field : std::uint8_t { Revision, Revises, Created, Labels, DependsOn };
constexpr std::array<std::string_view, 5> kFieldNames{"Revision", "Revises", "Created", "Labels", "Depends-On"};

// Field names that users of Alembic may write by habit.
struct ForeignName {
  std::string_view foreign;  // lower case, with hyphens
  std::string_view ours;
};
constexpr std::array kForeignNames{ForeignName{"revision-id", "Revision"}, ForeignName{"create-date", "Created"},
                                   ForeignName{"down-revision", "Revises"}, ForeignName{"branch-labels", "Labels"},
                                   ForeignName{"depends-on", "Depends-On"}};

struct HeaderLine {
  std::string_view content;  // after the dashes, trimmed
  std::size_t number;
};

std::optional<Field> field_named(std::string_view name) {
  const auto found = std::ranges::find(kFieldNames, name);
  if (found == kFieldNames.end()) {
    return std::nullopt;
  }
  return static_cast<Field>(found - kFieldNames.begin());
}

// The word before a colon, if it can be meant as a field name.
std::string_view name_before_colon(std::string_view content) {
  const auto colon = content.find(':');
  if (colon == std::string_view::npos) {
    return {};
  }
  const auto name = trim(content.substr(0, colon));
  const bool wordy = std::ranges::all_of(
      name, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == ' '; });
  return wordy ? name : std::string_view{};
}

std::string_view meant_field(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), [](char c) { return c == ' ' || c == '_' ? '-' : lower_ascii(c); });
  const auto foreign = std::ranges::find(kForeignNames, folded, &ForeignName::foreign);
  return foreign != kForeignNames.end() ? foreign->ours : closest_name(name, kFieldNames);
}

bool is_note(std::string_view content) {
  constexpr std::string_view kNote = "athanor:note";
  return content == kNote || (content.starts_with(kNote) && (content[kNote.size()] == ' ' || content[kNote.size()] == '\t'));
}

bool is_date(std::string_view text) {
  // YYYY-MM-DD, optionally followed by a time, a fraction and an offset. Only checks that digits are where they belong.
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  constexpr std::size_t kDateOnly = 10;
  const auto matches = [&](std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
      const char c = text[index];
      const bool fits = kShape[index] == 'd'   ? c >= '0' && c <= '9'
                        : kShape[index] == 'T' ? c == 'T' || c == ' '
                                               : c == kShape[index];
      if (!fits) {
        return false;
      }
    }
    return true;
  };
  if (text.size() == kDateOnly) {
    return matches(kDateOnly);
  }
  return text.size() >= kShape.size() && matches(kShape.size()) &&
         text.substr(kShape.size()).find_first_not_of("0123456789.:+-Z ") == std::string_view::npos;
}

class NativeHeader {
 public:
  NativeHeader(std::string_view text, bool whole, const std::string& path) : text_(text), whole_(whole), path_(path) {}

  Result<std::optional<Revision>> parse() {
    std::size_t at = text_.size() - without_byte_order_mark(text_).size();
    while (at < text_.size()) {
      const auto end = text_.find('\n', at);
      if (end == std::string_view::npos && !whole_) {
        return starved();
      }
      const auto line = trim(text_.substr(at, end == std::string_view::npos ? end : end - at));
      ++line_;
      if (line.starts_with("--")) {
        const auto content = trim(line.substr(2));
        if (is_note(content)) {
          // a note has no meaning in any position
        } else if (content.starts_with("athanor:")) {
          return finish();
        } else {
          TRY(take({content, line_}));
        }
        opened_ = true;
      } else if (!line.empty() || opened_) {
        return finish();
      }
      at = end == std::string_view::npos ? text_.size() : end + 1;
    }
    return whole_ ? finish() : starved();
  }

 private:
  [[nodiscard]] Error error(ErrorCode code, std::string message, std::size_t line) const {
    return Error(code, std::move(message)).at(place(path_, line));
  }

  Result<std::optional<Revision>> starved() const {
    if (text_.size() >= kMaxNativeHeaderBytes) {
      return fail(error(ErrorCode::MalformedRevision, "the header comment is longer than 64 KiB", 1)
                      .advise("end the header with an empty line"));
    }
    return std::optional<Revision>{};
  }

  Result<void> take(HeaderLine line) {
    const auto name = name_before_colon(line.content);
    if (!name.empty()) {
      if (const auto field = field_named(name)) {
        return take_field(*field, line);
      }
      // Descriptions often contain a colon, so there only a near miss counts as a field; the first line is always text.
      const auto meant = fields_begun_ || opened_ ? meant_field(name) : std::string_view{};
      if (fields_begun_ || !meant.empty()) {
        Error unknown = error(ErrorCode::MalformedRevision, "unknown header field `" + std::string(name) + "`", line.number);
        return fail(
            std::move(unknown).advise(meant.empty() ? suggest({}, kFieldNames) : "did you mean `" + std::string(meant) + "`?"));
      }
    }
    if (line.content.empty()) {
      return {};
    }
    if (fields_begun_) {
      return fail(error(ErrorCode::MalformedRevision, "the header line is not a field `Name: value`", line.number)
                      .advise("move the text above the fields, or end the header with an empty line before it"));
    }
    if (revision_.message.empty()) {
      revision_.message = line.content;
    }
    return {};
  }

  Result<void> take_field(Field field, HeaderLine line) {
    const auto index = static_cast<std::size_t>(field);
    fields_begun_ = true;
    if (seen_[index] != 0) {
      return fail(error(ErrorCode::MalformedRevision, "header field `" + std::string(kFieldNames[index]) + "` is given twice",
                        line.number)
                      .advise("the first one is on line " + std::to_string(seen_[index]) + "; keep one of them"));
    }
    seen_[index] = line.number;
    const auto value = trim(line.content.substr(line.content.find(':') + 1));
    switch (field) {
      case Field::Revision:
        if (value.empty()) {
          return fail(missing_revision(line.number));
        }
        revision_.id = value;
        return located(check_revision_id(value), line.number);
      case Field::Revises:
        if (means_base(value)) {
          return {};
        }
        return take_list(value, revision_.down, line.number, check_revision_id);
      case Field::Created:
        return take_created(value, line.number);
      case Field::Labels:
        return take_list(value, revision_.labels, line.number, check_revision_label);
      case Field::DependsOn:
        return take_list(value, revision_.depends_on, line.number, check_revision_label);
    }
    return {};
  }

  static bool means_base(std::string_view value) {
    return value.empty() || value == "none" || value == "None" || value == "base" || value == "<base>";
  }

  Result<void> located(Result<void> result, std::size_t line) const {
    if (!result) {
      return fail(std::move(result.error()).at(place(path_, line)));
    }
    return result;
  }

  Result<void> take_created(std::string_view value, std::size_t line) {
    if (!value.empty() && !is_date(value)) {
      return fail(error(ErrorCode::MalformedRevision, "`Created` is not a date and time", line)
                      .advise("write it as 2026-11-21T02:10:00+00:00"));
    }
    revision_.created = value;
    return {};
  }

  Result<void> take_list(std::string_view value, std::vector<std::string>& list, std::size_t line,
                         Result<void> (*check)(std::string_view)) const {
    if (value.empty()) {
      return {};
    }
    for (std::size_t at = 0; at <= value.size();) {
      const auto comma = std::min(value.find(',', at), value.size());
      const auto item = trim(value.substr(at, comma - at));
      if (item.empty()) {
        return fail(error(ErrorCode::MalformedRevision, "empty entry in a comma separated list", line)
                        .advise("remove the extra comma"));
      }
      TRY(located(check(item), line));
      if (std::ranges::find(list, item) != list.end()) {
        return fail(error(ErrorCode::MalformedRevision, "`" + std::string(item) + "` occurs twice in the list", line));
      }
      list.emplace_back(item);
      at = comma + 1;
    }
    return {};
  }

  [[nodiscard]] Error missing_revision(std::size_t line) const {
    return error(ErrorCode::MalformedRevision, "no `-- Revision:` in the header of the file", line)
        .advise("begin the file with a comment block that contains `-- Revision: <id>` and `-- Revises: <parent>`");
  }

  Result<std::optional<Revision>> finish() {
    if (seen_[static_cast<std::size_t>(Field::Revision)] == 0) {
      return fail(missing_revision(1));
    }
    revision_.path = path_;
    revision_.format = RevisionFormat::NativeSql;
    return std::optional<Revision>(std::move(revision_));
  }

  std::string_view text_;
  bool whole_;
  const std::string& path_;
  Revision revision_;
  std::array<std::size_t, kFieldNames.size()> seen_{};  // line of each field; 0: not present
  std::size_t line_ = 0;
  bool opened_ = false;        // a comment line was read
  bool fields_begun_ = false;  // the description has ended
};

}  // namespace

Result<std::optional<Revision>> parse_native_header(std::string_view text, bool whole, const std::string& path) {
  return NativeHeader(text, whole, path).parse();
}

}  // namespace athanor
