#include "migrations/revision/file_template.hpp"

#include <locale.h>
#include <clocale>
#include <cwchar>
#include <cwctype>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <type_traits>
#include <variant>

#include "migrations/text/suggestion.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

using Value = std::variant<std::string, std::int64_t>;

constexpr std::array<std::string_view, 9> kTokens{"rev", "slug", "epoch", "year", "month", "day", "hour", "minute", "second"};
constexpr std::size_t kWidest = 64;

std::optional<Value> value_of(std::string_view token, const FileNameParts& parts) {
  if (token == "rev") {
    return parts.rev;
  }
  if (token == "slug") {
    return parts.slug;
  }
  const std::array<std::pair<std::string_view, std::int64_t>, 7> numbers{{{"epoch", parts.epoch},
                                                                          {"year", parts.year},
                                                                          {"month", parts.month},
                                                                          {"day", parts.day},
                                                                          {"hour", parts.hour},
                                                                          {"minute", parts.minute},
                                                                          {"second", parts.second}}};
  for (const auto& [name, number] : numbers) {
    if (name == token) {
      return number;
    }
  }
  return std::nullopt;
}

// One conversion specification: what is between the token's parenthesis and the letter.
struct Conversion {
  bool left = false;
  bool zero = false;
  bool plus = false;
  bool space = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  char type = 's';
};

Error bad_format(std::string_view token, const std::string& why) {
  return Error(ErrorCode::Configuration, "`%(" + std::string(token) + ")` " + why)
      .advise("write %(rev)s, %(slug)s, %(year)d, %(month).2d and the like");
}

std::size_t take_number(std::string_view& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{} ? number : (error == std::errc::result_out_of_range ? kWidest + 1 : 0);
}

Result<Conversion> take_conversion(std::string_view token, std::string_view& text) {
  Conversion conversion;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c == '-') {
      conversion.left = true;
    } else if (c == '0') {
      conversion.zero = true;
    } else if (c == '+') {
      conversion.plus = true;
    } else if (c == ' ') {
      conversion.space = true;
    } else if (c != '#') {
      break;
    }
  }
  conversion.width = take_number(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    conversion.precision = take_number(text);
  }
  if (conversion.width > kWidest || conversion.precision.value_or(0) > kWidest) {
    return fail(bad_format(token, "asks for more than 64 characters"));
  }
  if (text.empty() || std::string_view("sdiu").find(text.front()) == std::string_view::npos) {
    return fail(bad_format(token, "needs a conversion: s or d"));
  }
  conversion.type = text.front();
  text.remove_prefix(1);
  return conversion;
}

std::string first_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts && count-- == 0) {
      break;
    }
    ++at;
  }
  return std::string(text.substr(0, at));
}

std::string padded(std::string text, const Conversion& conversion) {
  const std::size_t length = count_characters(text);
  if (length >= conversion.width) {
    return text;
  }
  const std::string fill(conversion.width - length, ' ');
  return conversion.left ? text + fill : fill + text;
}

// Like Python's `%`: a precision is the minimum number of digits, and zeros fill the width after the sign.
std::string format_number(std::int64_t number, const Conversion& conversion) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  const std::string sign = number < 0 ? "-" : conversion.plus ? "+" : conversion.space ? " " : "";
  std::size_t least = conversion.precision.value_or(1);
  if (conversion.zero && !conversion.left && conversion.width > sign.size()) {
    least = std::max(least, conversion.width - sign.size());
  }
  if (digits.size() < least) {
    digits.insert(0, least - digits.size(), '0');
  }
  return padded(sign + digits, conversion);
}

Result<std::string> format(std::string_view token, const Value& value, const Conversion& conversion) {
  if (conversion.type != 's') {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      return format_number(*number, conversion);
    }
    return fail(bad_format(token, "is text, not a number: use s"));
  }
  std::string text =
      std::holds_alternative<std::string>(value) ? std::get<std::string>(value) : std::to_string(std::get<std::int64_t>(value));
  if (conversion.precision) {
    text = first_characters(text, *conversion.precision);
  }
  return padded(std::move(text), conversion);
}

Result<std::string> expand(std::string_view text, const FileNameParts& parts) {
  std::string out;
  while (!text.empty()) {
    const auto percent = std::min(text.find('%'), text.size());
    out += text.substr(0, percent);
    text.remove_prefix(percent);
    if (text.starts_with("%%(")) {
      return fail(Error(ErrorCode::Configuration, "`%%(` would put a percent sign into the name")
                      .advise("write a single `%`; only .ini files need it doubled"));
    }
    if (text.starts_with("%%")) {
      out += '%';
      text.remove_prefix(2);
      continue;
    }
    if (text.empty()) {
      break;
    }
    const auto close = text.find(')');
    if (!text.starts_with("%(") || close == std::string_view::npos) {
      return fail(
          Error(ErrorCode::Configuration, "a `%` that does not begin a token").advise("write it as %(token)s, or double it"));
    }
    const auto token = text.substr(2, close - 2);
    text.remove_prefix(close + 1);
    const auto value = value_of(token, parts);
    if (!value) {
      return fail(
          Error(ErrorCode::Configuration, "unknown token `%(" + std::string(token) + ")`").advise(suggest(token, kTokens)));
    }
    TRY_ASSIGN(const auto conversion, take_conversion(token, text));
    TRY_ASSIGN(const auto formatted, format(token, *value, conversion));
    out += formatted;
  }
  return out;
}

// C.UTF-8 classifies characters beyond ASCII. Without that locale, each counts as a caseless letter, which is harmless.
class Letters {
 public:
  Letters() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  ~Letters() {
    if (locale_ != nullptr) {
      ::freelocale(locale_);
    }
  }
  Letters(const Letters&) = delete;
  Letters& operator=(const Letters&) = delete;

  [[nodiscard]] bool is_word(char32_t c) const {
    if (c < 0x80) {
      return c == U'_' || (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
    }
    return locale_ == nullptr || ::iswalnum_l(static_cast<wint_t>(c), locale_) != 0;
  }
  [[nodiscard]] char32_t lower(char32_t c) const {
    if (c < 0x80) {
      return c >= U'A' && c <= U'Z' ? c + 32 : c;
    }
    return locale_ == nullptr ? c : static_cast<char32_t>(::towlower_l(static_cast<wint_t>(c), locale_));
  }

 private:
  locale_t locale_;
};

}  // namespace

std::string make_slug(std::string_view message, int longest) {
  const Letters letters;
  std::string slug;
  bool pending = false;
  for (std::size_t at = 0; at < message.size();) {
    const char32_t c = take_character(message, at);
    if (!letters.is_word(c)) {
      pending = !slug.empty();
      continue;
    }
    if (pending) {
      slug += '_';
      pending = false;
    }
    append_character(letters.lower(c), slug);
  }
  if (longest < 0 || count_characters(slug) <= static_cast<std::size_t>(longest)) {
    return slug;
  }
  auto cut = first_characters(slug, static_cast<std::size_t>(longest));
  return cut.substr(0, cut.rfind('_')) + "_";
}

Result<std::string> render_file_name(std::string_view file_template, const FileNameParts& parts) {
  TRY_ASSIGN(auto name, expand(file_template, parts));
  const bool escapes = name.starts_with('/') || ("/" + name + "/").find("/../") != std::string::npos;
  if (escapes || name.find('\0') != std::string::npos) {
    return fail(Error(ErrorCode::PathEscape, "the file name `" + name + "` is outside the folder of revisions")
                    .advise("correct `file_template`"));
  }
  if (name.empty() || name.ends_with('/') || name.find("//") != std::string::npos) {
    return fail(Error(ErrorCode::Configuration, "`file_template` produces an empty name").advise("use at least %(rev)s"));
  }
  return name;
}

Result<void> check_file_template(std::string_view file_template) {
  FileNameParts parts;
  parts.rev = "1975ea83b712";
  parts.slug = "slug";
  TRY_ASSIGN(const auto name, render_file_name(file_template, parts));
  const auto slash = name.rfind('/');
  const auto first = slash == std::string::npos ? name.front() : name[slash + 1];
  if (first == '.' || first == '_' || ("/" + name).find("/.") != std::string::npos) {
    return fail(Error(ErrorCode::Configuration, "produces a name that is ignored when revisions are read")
                    .advise("begin names with a letter or a digit"));
  }
  return {};
}

}  // namespace athanor
