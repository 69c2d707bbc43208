// YAML without its surprises, for configuration files and manifests.
//
// What is refused, each with file, line and column: text that is not UTF-8, more bytes than the limit, nesting beyond the limit
// (found while parsing, so that depth costs neither stack nor time), anchors and aliases, tags, directives, keys that are not
// text, and keys given twice. Every node knows its line. Plain scalars keep their spelling; what they mean is decided by
// whoever asks for a type (yaml_fields.hpp), so a revision id such as `1e5` never turns into a number.
//
// Threads: pure function; nodes are plain values that own their text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { Null, Scalar, Sequence, Mapping };
  Kind kind = Kind::Null;
  bool quoted = false;  // a scalar in quotes or a block scalar: text whatever it looks like
  std::size_t line = 1;
  std::size_t column = 1;
  std::string text;                // Scalar
  std::vector<YamlNode> items;     // Sequence
  std::vector<YamlEntry> entries;  // Mapping, in file order

  // The value of a key of a mapping; nullptr when there is none.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  std::size_t line = 1;
  std::size_t column = 1;
  YamlNode value;
};

// What a scalar says by its spelling alone. Words that some YAML readers take for a boolean (yes, on, ...) count as Boolean, so
// that they are refused where text is wanted; only true and false are read as one.
enum class YamlSpelling : std::uint8_t { Text, Boolean, Integer, Real };
[[nodiscard]] YamlSpelling spelling(const YamlNode& scalar);

struct YamlLimits {
  std::size_t max_bytes = 1U << 20U;
  std::size_t max_depth = 64;
};

// Every document of the stream `text`; lines count from the start of the stream. An empty stream has no document, an empty
// document a Null root. `name` is the file's, for messages.
[[nodiscard]] Result<std::vector<YamlNode>> parse_yaml(std::string_view text, const std::string& name, YamlLimits limits = {});

}  // namespace athanor
