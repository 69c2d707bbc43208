#include "operator/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <string_view>
#include <utility>

#include "migrations/revision/duration.hpp"
#include "migrations/revision/suggestion.hpp"

namespace athanor::controller {
namespace {

Error usage(const std::string& message) {
  return Error(ErrorCode::Usage, message).advise("see athanor-operator --help");
}

Result<void> read_count(const std::string& name, const std::string& text, std::size_t& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < 1 || value > 256) {
    return fail(usage(name + " takes a number from 1 to 256"));
  }
  return {};
}

Result<void> read_resync(const std::string& text, milliseconds& value) {
  auto duration = parse_duration(text);
  if (!duration || *duration < std::chrono::seconds(1) || *duration > std::chrono::hours(24)) {
    return fail(usage("--resync takes a duration from 1s to 24h"));
  }
  value = *duration;
  return {};
}

Result<void> read_max_files(const std::string& text, std::size_t& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < 1) {
    return fail(usage("--max-files takes a number from 1 on"));
  }
  return {};
}

Result<void> read_max_file_size(const std::string& text, std::size_t& value) {
  const auto size = parse_size(text);
  if (!size || *size < 1) {
    return fail(usage("--max-file-size takes bytes, or a number and KiB, MiB or GiB"));
  }
  value = *size;
  return {};
}

Result<void> take_value(Options& options, const std::string& name, const std::string& value) {
  if (value.empty()) {
    return fail(usage(name + " needs a value"));
  }
  if (name == "--manifests") {
    options.manifests = value;
  } else if (name == "--state") {
    options.state = value;
  } else if (name == "--listen") {
    options.listen = value;
  } else if (name == "--source-root") {
    options.source_roots.push_back(value);
  } else if (name == "--secret-root") {
    options.secret_roots.push_back(value);
  } else if (name == "--workers") {
    return read_count(name, value, options.workers);
  } else if (name == "--per-server") {
    return read_count(name, value, options.per_server);
  } else if (name == "--resync") {
    return read_resync(value, options.resync);
  } else if (name == "--max-files") {
    return read_max_files(value, options.limits.max_files);
  } else if (name == "--max-file-size") {
    return read_max_file_size(value, options.limits.max_file_bytes);
  } else {
    TRY_ASSIGN(options.log_level, parse_log_level(value));
  }
  return {};
}

bool* switch_of(Options& options, std::string_view name) {
  const std::array<std::pair<std::string_view, bool*>, 6> switches{{{"--once", &options.once},
                                                                    {"--json", &options.json},
                                                                    {"--help", &options.help},
                                                                    {"-h", &options.help},
                                                                    {"--version", &options.version},
                                                                    {"-V", &options.version}}};
  for (const auto& [known, flag] : switches) {
    if (known == name) {
      return flag;
    }
  }
  return nullptr;
}

constexpr std::array<std::string_view, 15> kNames{"--max-files",   "--max-file-size", "--manifests", "--state",   "--listen",
                                                  "--source-root", "--secret-root",   "--workers",   "--resync",  "--log-level",
                                                  "--per-server",  "--once",          "--json",      "--version", "--help"};
constexpr std::size_t kWithValue = 11;

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    std::string name = arguments[index];
    if (bool* flag = switch_of(options, name)) {
      *flag = true;
      continue;
    }
    const std::size_t equals = name.find('=');
    const bool inline_value = name.starts_with("--") && equals != std::string::npos;
    std::string value = inline_value ? name.substr(equals + 1) : std::string();
    if (inline_value) {
      name.resize(equals);
    }
    const auto known = std::find(kNames.begin(), kNames.begin() + kWithValue, name);
    if (known == kNames.begin() + kWithValue) {
      const auto near = closest_name(name, kNames);
      return fail(usage("unknown option '" + name + "'" + (near.empty() ? "" : "; did you mean " + std::string(near) + "?")));
    }
    if (!inline_value) {
      if (index + 1 == arguments.size()) {
        return fail(usage(name + " needs a value"));
      }
      value = arguments[++index];
    }
    TRY(take_value(options, name, value));
  }
  if (!options.help && !options.version && options.manifests.empty()) {
    return fail(usage("--manifests DIR is required"));
  }
  return options;
}

std::string help_text() {
  return R"(athanor-operator: keeps PostgreSQL databases at the revisions that manifests declare.

Usage:
  athanor-operator --manifests DIR [options]

Reads DatabaseMigration manifests (*.yaml, *.yml) from DIR, brings every database to its declared revision, and again
whenever a manifest, a revision file or a secret file changes. Status goes to the state folder, logs (JSON lines) to
standard error.

Options:
  --manifests DIR      folder of manifests (required)
  --state DIR          folder of status files; default DIR/.athanor of the manifests
  --source-root DIR    folder outside the manifests' that spec.source.path may name; may be repeated
  --secret-root DIR    folder outside the manifests' that secret files may lie in; may be repeated
  --listen ADDR:PORT   serve /metrics, /healthz and /readyz; default 127.0.0.1:8080, off with --once; "off": do not listen
  --workers N          databases in work at once; default 8
  --per-server N       of them on one database server; default 8
  --resync DURATION    look at every database at least this often; default 5m
  --max-files N        revision files in one source; default 100000
  --max-file-size SIZE of one revision file; default 64MiB
  --once               reconcile everything once, print a summary, and exit
  --json               with --once: the summary as JSON
  --log-level LEVEL    debug, info, warn or error; default info (warn with --once)
  -h, --help           this text
  -V, --version        the version

Exit codes:
  0   ended by SIGTERM or SIGINT; with --once: every resource is Ready
  1   with --once: some resource is not Ready, or a manifest cannot be read
  2   wrong usage
  3   a folder cannot be read or written, or the address cannot be listened on

Examples:
  athanor-operator --manifests deploy/databases --source-root migrations
  athanor-operator --manifests deploy/databases --once --json
)";
}

}  // namespace athanor::controller
