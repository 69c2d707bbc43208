// athanor.yaml: where revisions are, how new ones are named, and how a run behaves.
//
// The file is strict YAML: unknown fields, wrong types, aliases, duplicate keys and excessive nesting are errors that name
// file, line and field. Alembic's option names are kept where the option has a meaning here; others (sourceless,
// revision_environment, path_separator) are accepted with a warning. DATABASE_URL from the environment overrides
// `database_url`; the composition root reads the environment and passes it in. `.env` is never read.
//
// Relative paths are resolved against the folder of the file; `%(here)s` in a path stands for that folder.
// docs/spec/configuration.md lists all fields.
//
// Threads: plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/backup/backup.hpp"
#include "migrations/base/result.hpp"
#include "migrations/config/schema_fields.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/lint/lint_context.hpp"
#include "migrations/revision/revision_naming.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/session/session_settings.hpp"

namespace athanor {

struct PostWriteHook {
  std::string name;
  std::string type;        // "exec", "console_scripts" or "module"; "module" runs `python -m`
  std::string entrypoint;  // executable or module
  std::string options;     // REVISION_SCRIPT_FILENAME is replaced; split as a shell would, without running a shell
  std::string cwd;
};

struct Configuration {
  std::string file;       // as given; empty when no file was found and the defaults apply
  std::string directory;  // folder that relative paths are resolved against
  std::string database_url;
  std::vector<std::string> version_locations{"migrations/versions"};  // resolved
  bool recursive_version_locations = false;
  RevisionNaming naming;
  std::string output_encoding = "utf-8";
  std::vector<PostWriteHook> post_write_hooks;
  std::string version_table = "alembic_version";
  std::string version_table_schema;  // empty: first schema of the search_path
  bool version_table_pk = true;
  bool transaction_per_migration = true;  // false: one transaction for all transactional revisions of a run
  std::string ledger_schema = "athanor";
  bool ledger_keeps_text = true;
  bool ledger_keeps_catalog = false;
  ExecutionSettings execution;
  BackupSettings backup;
  SchemaConfiguration schema;
  LintSettings lint;
  SourceLimits limits;
  bool header_cache = true;  // cache revision headers between runs, if there is a cache folder
  std::vector<std::string> warnings;
};

// Parses the text of a file called `name` (for messages). Relative paths are resolved against `directory`. `section` selects an
// entry of `environments:`, which overrides the rest.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, const std::string& name,
                                                        const std::string& directory, std::string_view section = {});
// Reads and parses `path`. A missing file is an Io error if `required`; otherwise the defaults apply.
[[nodiscard]] Result<Configuration> load_configuration(const std::string& path, bool required, std::string_view section = {});

// The settings for a Migrator and for a backup.
[[nodiscard]] MigratorSettings migrator_settings(const Configuration& configuration);
[[nodiscard]] BackupJob backup_job(const Configuration& configuration);

}  // namespace athanor
