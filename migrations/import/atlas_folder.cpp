// Atlas (versioned): <version>_<name>.sql; atlas.sum has checksums of the files, atlas_schema_revisions a row for each file.
#include <algorithm>
#include <array>
#include <map>

#include "migrations/base/sha256.hpp"
#include "migrations/import/foreign_text.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

constexpr std::string_view kSumFile = "atlas.sum";

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8U) | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i <= bytes.size() ? kDigits[(group >> (18U - 6U * i)) & 63U] : '=';
    }
  }
  return text;
}

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  const auto value = [](char digit) { return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10); };
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes += static_cast<char>(value(hex[at]) << 4U | value(hex[at + 1]));
  }
  return bytes;
}

struct Directive {
  std::string_view name;
  std::string_view value;
};

// "-- atlas:txmode none"
std::optional<Directive> directive_of(std::string_view line) {
  constexpr std::string_view kPrefix = "-- atlas:";
  if (!line.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const std::string_view rest = trim(line.substr(kPrefix.size()));
  const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  return Directive{rest.substr(0, end), trim(rest.substr(end))};
}

class AtlasFolder {
 public:
  explicit AtlasFolder(const std::vector<ForeignFile>& files) : files_(files) {}

  ForeignFolder read() {
    for (const ForeignFile& file : files_) {
      if (file.name == kSumFile) {
        read_sums(file);
      }
    }
    // Each line of atlas.sum covers its file and all files before it.
    std::string all;
    for (const ForeignFile& file : files_) {
      if (!file.name.ends_with(".sql")) {
        continue;
      }
      all += file.name;
      if (file.bytes.starts_with("-- atlas:sum ignore")) {
        add(file, {});
        continue;
      }
      all += file.bytes;
      const std::string sum = base64(bytes_of_hex(sha256_hex(all)));
      const auto expected = sums_.find(file.name);
      if (expected == sums_.end() || expected->second != sum) {
        folder_.refused.push_back({file.name, 0,
                                   expected == sums_.end() ? "is not in atlas.sum: run `atlas migrate hash` if it should be"
                                                           : "does not match atlas.sum, or an earlier file does not"});
      }
      add(file, sum);
    }
    order_revisions(folder_, [](const ForeignRevision& a, const ForeignRevision& b) { return a.version < b.version; });
    return std::move(folder_);
  }

 private:
  void read_sums(const ForeignFile& file) {
    for (const TextLine& line : lines_of(file.bytes)) {
      const std::size_t cut = line.text.rfind(" h1:");
      if (cut != std::string_view::npos) {
        sums_.emplace(line.text.substr(0, cut), trim(line.text.substr(cut + std::string_view(" h1:").size())));
      }
    }
  }

  void add(const ForeignFile& file, const std::string& sum) {
    const auto text = foreign_text(file, folder_);
    if (!text) {
      return;
    }
    ForeignRevision revision;
    const std::string_view stem = without_extension(file.name);
    const std::size_t cut = std::min(stem.find('_'), stem.size());
    revision.version = stem.substr(0, cut);
    revision.message = words_of_name(stem.substr(cut));
    revision.file = file.name;
    revision.checksum = sum;
    revision.irreversible = "Atlas plans its ways back itself, and keeps none in the file";
    ForeignSection section;
    for (const TextLine& line : lines_of(*text)) {
      const auto directive = directive_of(line.text);
      if (directive) {
        obey(file, *directive, line.number, section);
      }
      section.sql += (directive ? std::string() : std::string(line.text)) + "\n";
    }
    revision.up.push_back(std::move(section));
    folder_.revisions.push_back(std::move(revision));
  }

  void obey(const ForeignFile& file, const Directive& directive, int line, ForeignSection& section) {
    if (directive.name == "txmode") {
      section.transaction = directive.value != "none";
    } else if (directive.name != "nolint" && directive.name != "sum") {
      folder_.refused.push_back({file.name, line, "\"atlas:" + std::string(directive.name) + "\" has no counterpart"});
    }
  }

  const std::vector<ForeignFile>& files_;
  ForeignFolder folder_;
  std::map<std::string, std::string, std::less<>> sums_;
};

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& /*options*/) {
  return AtlasFolder(files).read();
}

constexpr std::array<std::string_view, 6> kColumns{"version", "type", "applied", "total", "error", "hash"};
enum Column : std::size_t { kVersion, kType, kApplied, kTotal, kError, kHash };

Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  std::set<std::string> applied;
  for (const auto& row : rows) {
    const std::string version = cell_text(row, kVersion);
    if (version.starts_with('.')) {
      continue;  // Atlas's own bookkeeping
    }
    if (cell_text(row, kApplied) != cell_text(row, kTotal) || !cell_text(row, kError).empty()) {
      return fail(half_done(kAtlasFormat, version,
                            "fix the failure and run `atlas migrate apply`, or set the current version: `atlas migrate set`"));
    }
    if (cell_text(row, kType) == "1") {  // a baseline: everything up to it is applied
      for (const ForeignRevision& revision : folder.revisions) {
        if (revision.version <= version) {
          applied.insert(revision.version);
        }
      }
      continue;
    }
    applied.insert(version);
    const auto revision = std::ranges::find(folder.revisions, version, &ForeignRevision::version);
    const std::string hash = cell_text(row, kHash);
    if (revision != folder.revisions.end() && !revision->checksum.empty() && !hash.empty() && revision->checksum != hash) {
      return fail(changed_since(kAtlasFormat, *revision, "check out the folder as of the time it was applied"));
    }
  }
  return applied_beginning(kAtlasFormat, folder, applied);
}

}  // namespace

const ForeignFormat kAtlasFormat{.name = "atlas",
                                 .title = "Atlas",
                                 .catch_up = "atlas migrate apply --exec-order non-linear",
                                 .read_folder = read_folder,
                                 .table = "atlas_schema_revisions.atlas_schema_revisions",
                                 .columns = kColumns,
                                 .order = "version",
                                 .read_history = read_history};

}  // namespace athanor
