// athanor.yaml: where revisions live, how new ones are named, and how a run behaves.
//
// The file is strict YAML: unknown fields, wrong types, aliases, duplicate keys and nesting beyond reason are errors that name
// file, line and field. Alembic's option names are kept where the option has a meaning here; the ones without (sourceless,
// revision_environment, path_separator) are accepted with a warning that says so. DATABASE_URL from the environment wins over
// `database_url`; the environment is read by the composition root and passed in, never here. `.env` is never read.
//
// Relative paths resolve against the folder of the file, which `%(here)s` in a path stands for. docs/spec/configuration.md
// lists every field. Threads: plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/revision/backup_settings.hpp"
#include "migrations/revision/duration.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {

using std::chrono::milliseconds;

struct PostWriteHook {
  std::string name;
  std::string type;        // "exec" or "console_scripts" or "module"; the last runs `python -m`
  std::string entrypoint;  // executable or module
  std::string options;     // REVISION_SCRIPT_FILENAME is replaced; split as a shell would, without a shell
  std::string cwd;
};

// How a run behaves on the server; defaults are safety-rules: short lock waits, many retries, no silent time-outs.
struct ExecutionSettings {
  milliseconds lock_wait{600'000};          // how long to wait for the migration lock held by another run
  milliseconds lock_timeout{2'000};         // per attempt, for locks that statements take
  milliseconds lock_retry_budget{600'000};  // total time for retries after lock_timeout; 0: a single attempt
  milliseconds statement_timeout{0};        // 0: none
  milliseconds connect_timeout{10'000};
  milliseconds stop_grace{10'000};  // after a first stop request a running transaction may still finish this long
  milliseconds max_replica_lag{0};  // batch steps pause while a replica lags more; 0: not looked at
  std::string role;                 // SET ROLE after connecting; empty: none
  std::string search_path;          // pinned for the session; empty: "$user", public as the server has it
  std::string application_name = "athanor";
  bool allow_session_pooler = false;  // a pooler in session mode is the user's word against the protocol's
};

struct Configuration {
  std::string file;       // as given; empty when none was found and defaults hold
  std::string directory;  // folder that relative paths resolve against
  std::string database_url;
  std::vector<std::string> version_locations{"migrations/versions"};  // resolved
  bool recursive_version_locations = false;
  std::string file_template = "%(rev)s_%(slug)s";
  int truncate_slug_length = 40;
  std::string timezone;  // empty: UTC; otherwise an IANA name
  std::string output_encoding = "utf-8";
  std::vector<PostWriteHook> post_write_hooks;
  std::string version_table = "alembic_version";
  std::string version_table_schema;  // empty: first schema of the search_path
  bool version_table_pk = true;
  bool transaction_per_migration = true;  // false: every transactional revision of a run in one transaction
  std::string ledger_schema = "athanor";
  ExecutionSettings execution;
  BackupSettings backup;
  SourceLimits limits;
  bool header_cache = true;  // keep headers between runs, where there is a place for it
  std::vector<std::string> warnings;
};

// Parses text of a file called `name` (for messages); `section` picks an entry of `environments:` laid over the rest.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, const std::string& name,
                                                        const std::string& directory, std::string_view section = {});
// Reads `path`. A missing file is an Io error when `required`, the defaults otherwise.
[[nodiscard]] Result<Configuration> load_configuration(const std::string& path, bool required, std::string_view section = {});

}  // namespace athanor
