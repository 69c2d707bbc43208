#include "migrations/session/session_reset.hpp"

#include <array>

#include "migrations/base/ids.hpp"
#include "migrations/text/session_baseline.hpp"

namespace athanor {
const std::string& prepared_name_prefix() {
  static const std::string prefix = "athanor_" + random_hex(8) + "_";
  return prefix;
}

std::string prepared_name(std::string_view statement) {
  return prepared_name_prefix() + std::string(statement);
}

const std::vector<Command>& session_reset() {
  static const std::vector<Command> commands = [] {
    std::vector<Command> made;
    // The order matters: first what may still run code, then the identity, because dropping a table requires its owner.
    constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kResets{{
        {"fire_triggers", "SET CONSTRAINTS ALL IMMEDIATE"},
        {"close_cursors", "CLOSE ALL"},
        {"reset_authorization", "RESET SESSION AUTHORIZATION"},
        {"reset_role", "RESET ROLE"},
        {"reset_settings", "RESET ALL"},
        {"unlisten", "UNLISTEN *"},
        {"drop_temporary", "DISCARD TEMP"},
        {"forget_sequences", "DISCARD SEQUENCES"},
    }};
    made.reserve(made.size() + kResets.size());
    for (const auto& [name, sql] : kResets) {
      made.push_back({std::string(sql), {}, prepared_name(name)});
    }
    return made;
  }();
  return commands;
}

const std::vector<Command>& session_defaults_for_transaction() {
  static const std::vector<Command> commands = [] {
    // SET LOCAL ends with the transaction, which brings the revision's own values back.
    std::vector<Command> made{{"SET CONSTRAINTS ALL IMMEDIATE", {}, ""},
                              {"SET LOCAL SESSION AUTHORIZATION DEFAULT", {}, ""},
                              {"SET LOCAL role TO DEFAULT", {}, ""}};
    const auto add = [&](std::string_view name) { made.push_back({"SET LOCAL " + std::string(name) + " TO DEFAULT", {}, ""}); };
    for (const auto name : kSessionRest) {
      add(name);
    }
    for (const auto& [name, value] : kSessionBaseline) {
      add(name);
    }
    return made;
  }();
  return commands;
}

}  // namespace athanor
