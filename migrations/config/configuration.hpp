// athanor.yaml: where revisions live, how new ones are named, and how a run behaves.
//
// The file is strict YAML: unknown fields, wrong types, aliases, duplicate keys and nesting beyond reason are errors that name
// file, line and field. Alembic's option names are kept where the option has a meaning here; the ones without (sourceless,
// revision_environment, path_separator) are accepted with a warning that says so. DATABASE_URL from the environment wins over
// `database_url`; the composition root reads the environment and passes it in. `.env` is never read.
//
// Relative paths resolve against the folder of the file, which `%(here)s` in a path stands for. docs/spec/configuration.md
// lists every field.
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
  std::string type;        // "exec" or "console_scripts" or "module"; the last runs `python -m`
  std::string entrypoint;  // executable or module
  std::string options;     // REVISION_SCRIPT_FILENAME is replaced; split as a shell would, without a shell
  std::string cwd;
};

struct Configuration {
  std::string file;       // as given; empty when none was found and defaults hold
  std::string directory;  // folder that relative paths resolve against
  std::string database_url;
  std::vector<std::string> version_locations{"migrations/versions"};  // resolved
  bool recursive_version_locations = false;
  RevisionNaming naming;
  std::string output_encoding = "utf-8";
  std::vector<PostWriteHook> post_write_hooks;
  std::string version_table = "alembic_version";
  std::string version_table_schema;  // empty: first schema of the search_path
  bool version_table_pk = true;
  bool transaction_per_migration = true;  // false: every transactional revision of a run in one transaction
  std::string ledger_schema = "athanor";
  bool ledger_keeps_text = true;
  bool ledger_keeps_catalog = false;
  ExecutionSettings execution;
  BackupSettings backup;
  SchemaConfiguration schema;
  LintSettings lint;
  SourceLimits limits;
  bool header_cache = true;  // keep revision headers between runs, when there is a cache folder
  std::vector<std::string> warnings;
};

// Parses the text of a file called `name` (for messages). Relative paths resolve against `directory`. `section` picks an entry
// of `environments:` laid over the rest.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, const std::string& name,
                                                        const std::string& directory, std::string_view section = {});
// Reads and parses `path`. A missing file is an Io error when `required`; otherwise the defaults hold.
[[nodiscard]] Result<Configuration> load_configuration(const std::string& path, bool required, std::string_view section = {});

// The parts of the configuration that a Migrator and a backup take.
[[nodiscard]] MigratorSettings migrator_settings(const Configuration& configuration);
[[nodiscard]] BackupJob backup_job(const Configuration& configuration);

}  // namespace athanor
