#include "migrations/import/foreign_history.hpp"

#include <algorithm>
#include <array>

namespace athanor {

std::span<const ForeignFormat> foreign_formats() {
  // Their columns are constants of other files, so the table is made when it is first asked for.
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
