#include "migrations/import/foreign_history.hpp"

#include <algorithm>
#include <array>

namespace athanor {

std::span<const ForeignFormat> foreign_formats() {
  // Initialised on first use, because its elements are constants of other translation units.
  static const std::array kFormats{kGooseFormat,     kDbmateFormat, kGolangMigrateFormat, kFlywayFormat,
                                   kLiquibaseFormat, kRailsFormat,  kAtlasFormat,         kPrismaFormat};
  return kFormats;
}

const ForeignFormat* find_foreign_format(std::string_view name) {
  const auto formats = foreign_formats();
  const auto found = std::ranges::find(formats, name, &ForeignFormat::name);
  return found == formats.end() ? nullptr : &*found;
}

}  // namespace athanor
