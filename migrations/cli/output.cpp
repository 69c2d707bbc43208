#include "migrations/cli/output.hpp"

#include <algorithm>
#include <cstddef>

namespace athanor::cli {
namespace {

constexpr std::size_t kFlushAt = std::size_t{1} << 16U;

// One row of the version table is kept for each so many bytes of text.
constexpr std::size_t kTextPerRow = 51;

// May cut the last character in half; the JSON writer replaces the incomplete part.
std::string shortened(const std::string& text, std::size_t longest) {
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

Json shortened(const Json& value, std::size_t longest) {
  if (value.is_string()) {
    return shortened(value.get_ref<const std::string&>(), longest);
  }
  Json copy = value;
  if (copy.is_object()) {
    for (auto& [name, member] : copy.get_ref<Json::object_t&>()) {
      member = shortened(member, longest);
    }
  } else if (copy.is_array()) {
    for (Json& item : copy) {
      item = shortened(item, longest);
    }
  }
  return copy;
}

std::string_view retry_name(RetryClass retry) {
  switch (retry) {
    case RetryClass::Terminal:
      break;
    case RetryClass::Transient:
      return "transient";
    case RetryClass::Conflict:
      return "conflict";
  }
  return "terminal";
}

constexpr std::string_view kRed = "\x1b[31;1m";
constexpr std::string_view kYellow = "\x1b[33;1m";
constexpr std::string_view kPlain = "\x1b[0m";

}  // namespace

void Output::line(std::string_view text) {
  if (style_.json) {
    return;
  }
  buffer_ += printable(text);
  buffer_ += '\n';
  if (buffer_.size() >= kFlushAt) {
    flush();
  }
}

void Output::text(std::string_view text) {
  if (style_.json) {
    return;
  }
  buffer_ += text;
  if (buffer_.size() >= kFlushAt) {
    flush();
  }
}

void Output::note(std::string_view text) {
  if (!style_.json && !style_.quiet) {
    flush();
    err_(printable(text) + "\n");
  }
}

void Output::warn(std::string text) {
  if (!style_.json && !style_.quiet) {
    flush();
    std::string line(style_.error_color ? kYellow : std::string_view());
    line += "athanor: warning: ";
    line += style_.error_color ? kPlain : std::string_view();
    err_(line + printable(text) + "\n");
  }
  warnings_.push_back(std::move(text));
}

void Output::flush() {
  if (!buffer_.empty()) {
    out_(buffer_);
    buffer_.clear();
  }
}

void Output::print_error(const Error& error) {
  std::string text(style_.error_color ? kRed : std::string_view());
  text += "athanor: error: ";
  text += style_.error_color ? kPlain : std::string_view();
  text += printable(error.describe());
  text += '\n';
  if (!error.hint.empty()) {
    text += "hint: ";
    text += printable(error.hint);
    text += '\n';
  }
  err_(text);
}

std::string Output::document(const Result<void>& result) {
  Json whole = Json::object();
  whole["success"] = result.has_value();
  whole["message"] = result ? message_ : result.error().describe();
  whole["current_revision"] = current_ ? Json(*current_) : Json(nullptr);
  for (auto& [name, value] : fields_.get_ref<Json::object_t&>()) {
    whole[name] = std::move(value);
  }
  whole["warnings"] = warnings_;
  whole["error"] = result ? Json(nullptr) : error_json(result.error());
  return whole.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Output::report(const Result<void>& result) const {
  constexpr std::size_t kLongestText = 1'024;
  std::string text;
  // Shorten texts further until everything fits: a truncated JSON object would be unreadable.
  for (std::size_t longest = kLongestText; longest > 0; longest /= 2) {
    text = short_report(result, longest).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    if (text.size() <= kMaxReportBytes) {
      break;
    }
  }
  return text;
}

Json Output::short_report(const Result<void>& result, std::size_t longest) const {
  Json whole = Json::object();
  whole["success"] = result.has_value();
  whole["message"] = shortened(result ? message_ : result.error().message, longest);
  whole["current_revision"] = nullptr;
  if (current_) {
    const std::size_t rows = std::min(current_->size(), longest / kTextPerRow);
    whole["current_revision"] =
        std::vector<std::string>(current_->begin(), current_->begin() + static_cast<std::ptrdiff_t>(rows));
  }
  for (const char* const name : {"run_id", "plan_hash", "failed", "plan", "lint", "ahead"}) {
    if (const auto found = fields_.find(name); found != fields_.end()) {
      whole[name] = found->is_string() ? *found : shortened(*found, longest);  // a part of an id is useless
    }
  }
  whole["error"] = nullptr;
  if (!result) {
    whole["error"] = shortened(error_json(result.error()), longest);
    whole["error"]["retry"] = retry_name(result.error().retry);
  }
  return whole;
}

int Output::finish(const Result<void>& result) {
  if (style_.json) {
    out_(document(result));
  } else {
    flush();
    if (!result) {
      print_error(result.error());
    }
  }
  return result ? 0 : exit_code(result.error().code);
}

Json error_json(const Error& error) {
  Json json = Json::object();
  json["code"] = error_name(error.code);
  json["message"] = error.message;
  json["context"] = error.context;
  json["hint"] = error.hint;
  json["sqlstate"] = error.sqlstate;
  return json;
}

std::string join_revisions(const std::vector<std::string>& revisions) {
  if (revisions.empty()) {
    return "<base>";
  }
  std::string text;
  for (const std::string& revision : revisions) {
    text += text.empty() ? "" : ", ";
    text += printable(revision, LineEnds::Escape);
  }
  return text;
}

}  // namespace athanor::cli
