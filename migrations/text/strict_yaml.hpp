// YAML without surprises, for configuration files and manifests.
//
// Refuses, with file, line and column: text that is not UTF-8, files above the size limit, nesting above the depth limit
// (detected while parsing, so depth costs neither stack nor time), anchors and aliases, tags, directives, keys that are not
// text, and duplicate keys. Every node has its line. Plain scalars keep their spelling, and the reader decides what they mean
// (yaml_fields.hpp), so a revision id like `1e5` never becomes a number.
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
  bool quoted = false;  // quoted or a block scalar: always text
  std::size_t line = 1;
  std::size_t column = 1;
  std::string text;                // Scalar
  std::vector<YamlNode> items;     // Sequence
  std::vector<YamlEntry> entries;  // Mapping, in file order

  // The value of a mapping's key; nullptr when it is missing.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  std::size_t line = 1;
  std::size_t column = 1;
  YamlNode value;
};

// The type that a scalar's spelling suggests. Words that some YAML readers treat as boolean (yes, on, …) are Boolean, so that
// they are refused where text is expected; only true and false are accepted as booleans.
enum class YamlSpelling : std::uint8_t { Text, Boolean, Integer, Real };
// Text for a quoted scalar.
[[nodiscard]] YamlSpelling spelling(const YamlNode& scalar);

struct YamlLimits {
  std::size_t max_bytes = 1U << 20U;
  std::size_t max_depth = 64;
};

// Parses all documents of the stream `text`; line numbers count from the start of the stream. An empty stream has no document;
// an empty document has a Null root. `name` is the file's name for messages.
[[nodiscard]] Result<std::vector<YamlNode>> parse_yaml(std::string_view text, const std::string& name, YamlLimits limits = {});

}  // namespace athanor
