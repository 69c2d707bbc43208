#include "migrations/schema/routine_mentions.hpp"

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "migrations/schema/attributes.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

// Every word and quoted name of the text, whatever its role.
std::set<std::string, std::less<>> words_of(std::string_view text) {
  std::set<std::string, std::less<>> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  };
  for (std::size_t index = 0; index < text.size(); ++index) {
    const char letter = text[index];
    if (letter == '"') {
      const auto close = text.find('"', index + 1);
      if (close == std::string_view::npos) {
        break;
      }
      words.insert(std::string(text.substr(index + 1, close - index - 1)));
      index = close;
    } else if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' ||
               (static_cast<unsigned char>(letter) & 0x80U) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } else {
      end_word();
    }
  }
  end_word();
  return words;
}

}  // namespace

std::vector<std::uint32_t> facts_mentioned(const ChangeSet& changes, std::uint32_t routine) {
  const auto words = words_of(changes.new_fact(routine).get(attribute::kDefinition));
  std::vector<std::uint32_t> found;
  for (std::uint32_t index = 0; index < changes.after.facts().size(); ++index) {
    const FactId& id = changes.new_fact(index).id;
    const bool makes = changes.produced(index) ||
                       (changes.before_of(index) != kNoFact && changes.changes().contains(changes.before_of(index)));
    if (!makes || index == routine || id.subject != Kind::None || !words.contains(id.name)) {
      continue;
    }
    // Columns often have common names, so their table must be named as well.
    if (id.parent.empty() || (id.kind == Kind::Column && words.contains(id.parent))) {
      found.push_back(index);
    }
  }
  return found;
}

std::vector<std::pair<std::string, Names>> nested_mappings(std::string_view text) {
  std::vector<std::pair<std::string, Names>> mappings;
  const auto json = nlohmann::json::parse(text.empty() ? "[]" : text, nullptr, false);
  if (!json.is_array()) {
    return mappings;
  }
  for (const auto& entry : json) {
    Names dictionaries;
    for (const auto& pair : entry.at(1)) {
      dictionaries.push_back(qualified_name(pair.at(0).get<std::string>(), pair.at(1).get<std::string>()));
    }
    mappings.emplace_back(entry.at(0).get<std::string>(), std::move(dictionaries));
  }
  return mappings;
}

}  // namespace athanor::schema
