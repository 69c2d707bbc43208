#include "migrations/plan/comment_words.hpp"

#include <array>
#include <optional>
#include <utility>

#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

constexpr char kInvisible = '\0';
constexpr char kForeignLetter = '?';

bool within(char32_t character, char32_t first, char32_t last) {
  return character >= first && character <= last;
}

bool is_line_end(char32_t character) {
  return within(character, 0x0A, 0x0D) || character == 0x85 || character == 0x2028 || character == 0x2029;
}

bool is_invisible(char32_t character) {
  return character < 0x09 || within(character, 0x0E, 0x1F) || character == 0x7F || character == 0xAD ||
         within(character, 0x0300, 0x036F) || character == 0x061C || within(character, 0x115F, 0x1160) ||
         within(character, 0x17B4, 0x17B5) || within(character, 0x180B, 0x180F) || within(character, 0x200B, 0x200F) ||
         within(character, 0x202A, 0x202E) || within(character, 0x2060, 0x206F) || character == 0x3164 ||
         within(character, 0xFE00, 0xFE0F) || character == 0xFEFF || character == 0xFFA0 || within(character, 0xFFF0, 0xFFF8) ||
         within(character, 0x1BCA0, 0x1BCA3) || within(character, 0x1D173, 0x1D17A) || within(character, 0xE0000, 0xE0FFF);
}

bool is_unicode_blank(char32_t character) {
  return character == 0xA0 || character == 0x1680 || within(character, 0x2000, 0x200A) || character == 0x202F ||
         character == 0x205F || character == 0x2800 || character == 0x3000;
}

bool is_unicode_dash(char32_t character) {
  return within(character, 0x2010, 0x2015) || character == 0x2043 || character == 0x2212 || within(character, 0x2500, 0x2501) ||
         character == 0xFE58 || character == 0xFE63 || character == 0xFF0D;
}

// Letters of other scripts that look like a Latin letter, and characters that look like a colon.
char look_of(char32_t character) {
  constexpr std::array<std::pair<char32_t, char>, 71> kLooks{{
      {0x0430, 'a'}, {0x0435, 'e'}, {0x043E, 'o'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0445, 'x'}, {0x0443, 'y'}, {0x0456, 'i'},
      {0x0458, 'j'}, {0x0455, 's'}, {0x04BB, 'h'}, {0x0501, 'd'}, {0x051D, 'w'}, {0x043D, 'h'}, {0x0442, 't'}, {0x043A, 'k'},
      {0x043C, 'm'}, {0x0432, 'b'}, {0x0410, 'a'}, {0x0415, 'e'}, {0x041E, 'o'}, {0x0420, 'p'}, {0x0421, 'c'}, {0x0425, 'x'},
      {0x041D, 'h'}, {0x0422, 't'}, {0x041A, 'k'}, {0x041C, 'm'}, {0x0412, 'b'}, {0x03B1, 'a'}, {0x03BF, 'o'}, {0x03C1, 'p'},
      {0x03BD, 'v'}, {0x0391, 'a'}, {0x0395, 'e'}, {0x039F, 'o'}, {0x03A1, 'p'}, {0x0397, 'h'}, {0x03A4, 't'}, {0x039D, 'n'},
      {0x0131, 'i'}, {0x0261, 'g'}, {0x0269, 'i'}, {0x2236, ':'}, {0xA789, ':'}, {0xFE55, ':'}, {0xFE13, ':'}, {0x02D0, ':'},
      {0x1D00, 'a'}, {0x0299, 'b'}, {0x1D04, 'c'}, {0x1D05, 'd'}, {0x1D07, 'e'}, {0xA730, 'f'}, {0x0262, 'g'}, {0x029C, 'h'},
      {0x026A, 'i'}, {0x1D0A, 'j'}, {0x1D0B, 'k'}, {0x029F, 'l'}, {0x1D0D, 'm'}, {0x0274, 'n'}, {0x1D0F, 'o'}, {0x1D18, 'p'},
      {0x0280, 'r'}, {0xA731, 's'}, {0x1D1B, 't'}, {0x1D1C, 'u'}, {0x1D20, 'v'}, {0x1D21, 'w'}, {0x028F, 'y'},
  }};
  for (const auto& [confusable, look] : kLooks) {
    if (confusable == character) {
      return look;
    }
  }
  return kForeignLetter;
}

// A letter of the mathematical alphabets (bold, italic, script, …) or in a circle.
std::optional<char> styled_letter(char32_t character) {
  constexpr char32_t kLetters = 26;
  if (within(character, 0x1D400, 0x1D6A3)) {
    return static_cast<char>('a' + (character - 0x1D400) % kLetters);
  }
  if (within(character, 0x24B6, 0x24E9)) {
    return static_cast<char>('a' + (character - 0x24B6) % kLetters);
  }
  return std::nullopt;
}

// The ASCII character that a reader sees; kInvisible for a character that is not visible.
char seen_as(char32_t character) {
  if (within(character, 0xFF01, 0xFF5E)) {
    character -= 0xFEE0;  // full-width forms
  }
  if (is_invisible(character)) {
    return kInvisible;
  }
  if (character < 0x80) {
    return character == '\t' ? ' ' : static_cast<char>(character);
  }
  if (is_unicode_blank(character)) {
    return ' ';
  }
  if (is_unicode_dash(character)) {
    return '-';
  }
  if (const auto letter = styled_letter(character)) {
    return *letter;
  }
  const char look = look_of(character);
  const bool symbol = within(character, 0xA1, 0xBF) || within(character, 0x2016, 0x2BFF) || within(character, 0x2E00, 0x2E7F) ||
                      within(character, 0x3001, 0x303F) || within(character, 0x1F000, 0x1FAFF);
  return look == kForeignLetter && symbol ? '*' : look;
}

bool is_word_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == kForeignLetter;
}

bool is_upper(char letter) {
  return letter >= 'A' && letter <= 'Z';
}

class LineReader {
 public:
  void see(char letter, bool question_mark) {
    const bool in_word = is_word_letter(letter) && !question_mark;
    if (!in_word) {
      end_word();
      const char shown = letter == '_' ? ' ' : letter;  // up_migration is two words
      if (shown != ' ' || gap_.empty() || gap_.back() != ' ') {
        gap_ += shown;
      }
      previous_ = letter;
      return;
    }
    if (is_upper(letter) && previous_ >= 'a' && previous_ <= 'z') {
      end_word();  // upMigration is two words
      gap_ += ' ';
    }
    word_ += lower_ascii(letter);
    previous_ = letter;
  }

  void end_line(std::vector<CommentLine>& lines) {
    end_word();
    if (!line_.words.empty()) {
      line_.tail = std::move(gap_);
      lines.push_back(std::move(line_));
    }
    *this = LineReader();
  }

 private:
  void end_word() {
    if (!word_.empty()) {
      line_.words.push_back({std::exchange(word_, {}), std::exchange(gap_, {})});
    }
  }

  CommentLine line_;
  std::string word_;
  std::string gap_;
  char previous_ = ' ';
};

}  // namespace

std::vector<CommentLine> comment_lines(std::string_view comment) {
  std::vector<CommentLine> lines;
  LineReader reader;
  for (std::size_t at = 0; at < comment.size();) {
    const char32_t character = take_character(comment, at);
    if (is_line_end(character)) {
      reader.end_line(lines);
    } else if (const char letter = seen_as(character); letter != kInvisible) {
      reader.see(letter, character == '?' || character == 0xFF1F);
    }
  }
  reader.end_line(lines);
  return lines;
}

bool begins_blank(std::string_view text) {
  std::size_t at = 0;
  const char32_t first = text.empty() ? U'a' : take_character(text, at);
  return first >= 0x80 && (is_invisible(first) || is_unicode_blank(first) || is_unicode_dash(first));
}

}  // namespace athanor
