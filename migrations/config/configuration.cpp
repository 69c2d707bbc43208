#include "migrations/config/configuration.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "migrations/lint/rule.hpp"
#include "migrations/revision/file_template.hpp"
#include "migrations/revision/version_folder.hpp"
#include "migrations/text/letter_case.hpp"
#include "migrations/text/strict_yaml.hpp"
#include "migrations/text/suggestion.hpp"
#include "migrations/text/yaml_fields.hpp"

namespace athanor {
namespace {

constexpr std::size_t kLongestIdentifier = 63;  // PostgreSQL truncates longer names
constexpr std::string_view kHere = "%(here)s";

struct IdleOption {
  std::string_view name;
  std::string_view why;
};
constexpr std::array kIdleOptions{
    IdleOption{"sourceless", "only source files are read"},
    IdleOption{"revision_environment", "there is no env.py to run"},
    IdleOption{"path_separator", "`version_locations` is a list"},
    IdleOption{"version_path_separator", "`version_locations` is a list"},
};

// Reads one mapping into a Configuration: the root of the file, or an environment that overrides it.
class ConfigurationReader {
 public:
  ConfigurationReader(YamlFields& fields, Configuration& configuration) : fields_(fields), to_(configuration) {}

  void read() {
    read_database_url();
    read_locations();
    read_naming();
    fields_.mappings("post_write_hooks", [this, first = true](YamlFields& hook) mutable {
      if (std::exchange(first, false)) {
        to_.post_write_hooks.clear();
      }
      read_hook(hook);
    });
    read_version_table();
    fields_.flag("transaction_per_migration", to_.transaction_per_migration);
    fields_.mapping("execution", [this](YamlFields& execution) { read_execution(execution); });
    fields_.mapping("backup", [this](YamlFields& backup) { read_backup(backup); });
    fields_.mapping("lint", [this](YamlFields& lint) { read_lint(lint); });
    fields_.mapping("limits", [this](YamlFields& limits) {
      limits.size("file_size", to_.limits.max_file_bytes);
      limits.integer("files", to_.limits.max_files, 1, 10'000'000);
    });
    fields_.flag("header_cache", to_.header_cache);
    read_schema_fields(fields_, to_.schema, [this](std::string path) { return resolved(std::move(path)); });
    fields_.mapping("ledger", [this](YamlFields& ledger) {
      ledger.flag("keep_text", to_.ledger_keeps_text);
      ledger.flag("keep_catalog", to_.ledger_keeps_catalog);
    });
    note_idle_options();
  }

 private:
  void read_database_url() {
    if (fields_.has("database_url") && fields_.has("sqlalchemy.url")) {
      fields_.refuse("sqlalchemy.url", "means the same as `database_url`, which is also set", "keep one of them");
      return;
    }
    fields_.text("sqlalchemy.url", to_.database_url);
    fields_.text("database_url", to_.database_url);
  }

  // Resolves a path of the file: replaces `%(here)s`, and resolves a relative path against the file's folder.
  [[nodiscard]] std::string resolved(std::string path) const {
    const std::string here = to_.directory.empty() ? "." : to_.directory;
    for (auto at = path.find(kHere); at != std::string::npos; at = path.find(kHere, at + here.size())) {
      path.replace(at, kHere.size(), here);
    }
    const std::filesystem::path given(path);
    const bool anchored = given.is_absolute() || to_.directory.empty() || path.starts_with(here + "/") || path == here;
    auto text = (anchored ? given : std::filesystem::path(to_.directory) / given).lexically_normal().string();
    while (text.size() > 1 && text.back() == '/') {
      text.pop_back();
    }
    return text;
  }

  void read_locations() {
    fields_.flag("recursive_version_locations", to_.recursive_version_locations);
    std::string script_location;
    fields_.text("script_location", script_location);
    std::vector<std::string> locations;
    fields_.text_or_list("version_locations", locations);
    if (script_location.find(':') != std::string::npos) {
      fields_.refuse("script_location", "is a Python package, not a folder",
                     "write the folder instead: Athanor does not import Python");
      return;
    }
    if (fields_.has("version_locations")) {
      const bool hollow = locations.empty() || std::ranges::any_of(locations, [](const auto& path) { return path.empty(); });
      if (hollow) {
        fields_.refuse("version_locations", "needs at least one folder, and none may be empty");
        return;
      }
    } else if (!script_location.empty()) {
      locations = {script_location + "/versions"};
    } else {
      return;
    }
    to_.version_locations.clear();
    for (auto& location : locations) {
      to_.version_locations.push_back(resolved(std::move(location)));
    }
  }

  void read_naming() {
    fields_.text("file_template", to_.naming.file_template);
    if (fields_.has("file_template")) {
      if (auto checked = check_file_template(to_.naming.file_template); !checked) {
        fields_.refuse("file_template", checked.error().message, checked.error().hint);
      }
    }
    fields_.integer("truncate_slug_length", to_.naming.truncate_slug_length, 1, 200);
    fields_.text("timezone", to_.naming.timezone);
    fields_.text("output_encoding", to_.output_encoding);
    const std::string folded = lowered(to_.output_encoding);
    if (folded != "utf-8" && folded != "utf8") {
      fields_.refuse("output_encoding", "revision files are always UTF-8", "remove the option");
    }
    to_.output_encoding = "utf-8";
  }

  void read_hook(YamlFields& hook) {
    PostWriteHook read;
    hook.required_text("name", read.name);
    if (!hook.has("type")) {
      hook.refuse("type", "is required", "write exec, console_scripts or module");
    }
    hook.choice("type", read.type, {"exec", "console_scripts", "module"});
    hook.required_text("entrypoint", read.entrypoint);
    hook.text("options", read.options);
    hook.text("cwd", read.cwd);
    if (!read.cwd.empty()) {
      read.cwd = resolved(std::move(read.cwd));
    }
    to_.post_write_hooks.push_back(std::move(read));
  }

  void read_identifier(YamlFields& fields, std::string_view key, std::string& value, bool may_be_empty) {
    fields.text(key, value);
    if (value.size() > kLongestIdentifier) {
      fields.refuse(key, "is longer than 63 bytes, PostgreSQL's limit for names");
    } else if (value.empty() && !may_be_empty && fields.has(key)) {
      fields.refuse(key, "must not be empty");
    }
  }

  void read_version_table() {
    read_identifier(fields_, "version_table", to_.version_table, false);
    read_identifier(fields_, "version_table_schema", to_.version_table_schema, true);
    fields_.flag("version_table_pk", to_.version_table_pk);
    read_identifier(fields_, "ledger_schema", to_.ledger_schema, false);
  }

  void read_execution(YamlFields& execution) {
    ExecutionSettings& settings = to_.execution;
    execution.duration("lock_wait", settings.lock_wait);
    execution.duration("lock_timeout", settings.lock_timeout);
    execution.duration("lock_retry_budget", settings.lock_retry_budget);
    execution.duration("statement_timeout", settings.statement_timeout);
    execution.duration("connect_timeout", settings.connect_timeout);
    execution.duration("stop_grace", settings.stop_grace);
    execution.duration("max_replica_lag", settings.max_replica_lag);
    read_identifier(execution, "role", settings.role, true);
    execution.text("search_path", settings.search_path);
    read_identifier(execution, "application_name", settings.application_name, false);
    execution.flag("allow_session_pooler", settings.allow_session_pooler);
  }

  void read_backup(YamlFields& backup) {
    BackupSettings& settings = to_.backup;
    for (const auto& [key, folder] : {std::pair{"folder", &settings.folder}, std::pair{"programs", &settings.programs}}) {
      backup.text(key, *folder);
      if (backup.has(key) && !folder->empty()) {
        *folder = resolved(std::move(*folder));
      }
    }
    backup.integer("compression", settings.compression, 0, 9);
    backup.integer("keep", settings.retention.keep, 0, 1'000'000);
    backup.duration("max_age", settings.retention.max_age);
    backup.duration("accept_max_age", settings.accept_max_age);
    backup.size("min_free", settings.min_free);
    backup.flag("check_space", settings.check_space);
    backup.duration("lock_timeout", settings.lock_timeout);
    backup.duration("wait", settings.wait);
  }

  // Levels are words; one is `off`, which other YAML readers treat as a boolean.
  void read_lint(YamlFields& lint) {
    LintSettings& settings = to_.lint;
    lint.integer("small_table_rows", settings.small_table_rows, 0);
    lint.integer("postgres", settings.postgres, kOldestPostgres, kNewestPostgres);
    for (const RuleSpec& rule : rules()) {
      const YamlNode* const node = lint.node(rule.id);
      if (node == nullptr) {
        continue;
      }
      const auto level = node->kind == YamlNode::Kind::Scalar ? severity_named(node->text) : std::nullopt;
      if (!level) {
        lint.refuse(rule.id, "is not one of error, warning, info, off");
        return;
      }
      settings.levels[std::string(rule.id)] = *level;
    }
  }

  void note_idle_options() {
    for (const auto& option : kIdleOptions) {
      if (fields_.node(option.name) != nullptr) {
        const auto prefix = fields_.path().empty() ? std::string{} : fields_.path() + ".";
        to_.warnings.push_back(fields_.where(option.name) + ": field `" + prefix + std::string(option.name) +
                               "` has no effect: " + std::string(option.why));
      }
    }
  }

  YamlFields& fields_;
  Configuration& to_;
};

Error unknown_section(std::string_view section, const std::vector<std::string>& sections, const std::string& where) {
  Error error = Error(ErrorCode::Configuration, "unknown environment `" + std::string(section) + "`").at(where);
  if (sections.empty()) {
    return std::move(error).advise("add it under `environments:`");
  }
  const std::vector<std::string_view> names(sections.begin(), sections.end());
  return std::move(error).advise(suggest(section, names));
}

Result<std::string> read_text_file(int file, const std::string& path) {
  std::string text;
  constexpr std::size_t kMost = YamlLimits{}.max_bytes + 1;
  while (text.size() < kMost) {
    std::array<char, 16'384> buffer;
    const auto got = ::read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      const int number = errno;
      return fail(Error(ErrorCode::Configuration, "cannot read the file: " + std::generic_category().message(number)).at(path));
    }
    if (got == 0) {
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

Result<Configuration> parse_configuration(std::string_view text, const std::string& name, const std::string& directory,
                                          std::string_view section) {
  TRY_ASSIGN(const auto documents, parse_yaml(text, name));
  if (documents.size() > 1) {
    return fail(Error(ErrorCode::Configuration, "a configuration file is one document")
                    .at(name + ":" + std::to_string(documents[1].line))
                    .advise("remove the `---` and what follows; use `environments:` for variants"));
  }
  const YamlNode empty;
  YamlFields fields(documents.empty() ? empty : documents.front(), name);
  Configuration configuration;
  configuration.file = name;
  configuration.directory = directory;
  if (!directory.empty()) {
    auto& standard = configuration.version_locations.front();
    standard = (std::filesystem::path(directory) / standard).lexically_normal().string();
  }
  ConfigurationReader(fields, configuration).read();
  const Configuration base = configuration;
  std::vector<std::string> sections;
  fields.named_mappings("environments", [&](const std::string& environment, YamlFields& overrides) {
    sections.push_back(environment);
    Configuration laid_over = base;  // check every environment, not only the selected one
    ConfigurationReader(overrides, laid_over).read();
    if (environment == section) {
      configuration = std::move(laid_over);
    }
  });
  TRY(fields.finish());
  if (!section.empty() && std::ranges::find(sections, section) == sections.end()) {
    return fail(unknown_section(section, sections, fields.where("environments")));
  }
  return configuration;
}

Result<Configuration> load_configuration(const std::string& path, bool required, std::string_view section) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    const int number = errno;
    if (number != ENOENT || required) {
      return fail(Error(ErrorCode::Io, "cannot open the configuration: " + std::generic_category().message(number))
                      .at(path)
                      .with_retry(RetryClass::Terminal));
    }
    if (!section.empty()) {
      return fail(unknown_section(section, {}, path));
    }
    return Configuration{};
  }
  TRY_ASSIGN(const auto text, read_text_file(file.get(), path));
  return parse_configuration(text, path, std::filesystem::path(path).parent_path().string(), section);
}

MigratorSettings migrator_settings(const Configuration& configuration) {
  MigratorSettings settings;
  settings.version_table = configuration.version_table;
  settings.version_table_schema = configuration.version_table_schema;
  settings.version_table_pk = configuration.version_table_pk;
  settings.transaction_per_migration = configuration.transaction_per_migration;
  settings.ledger_schema = configuration.ledger_schema;
  settings.ledger_keeps_text = configuration.ledger_keeps_text;
  settings.execution = configuration.execution;
  return settings;
}

BackupJob backup_job(const Configuration& configuration) {
  BackupJob job;
  job.settings = configuration.backup;
  job.version_table = configuration.version_table;
  job.version_table_schema = configuration.version_table_schema;
  job.ledger_schema = configuration.ledger_schema;
  job.role = configuration.execution.role;
  job.allow_session_pooler = configuration.execution.allow_session_pooler;
  return job;
}

}  // namespace athanor
