#include "operator/reconcile/resource_words.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "migrations/base/utf8.hpp"

namespace athanor::controller {
namespace {

struct Word {
  std::string_view text;
  std::string_view replacement;
};

// Longer texts must come before texts that are part of them.
constexpr std::array kFields{
    Word{"the server of scratch_url", "the server of spec.scratch"},
    Word{"the role of scratch_url", "the role of spec.scratch"},
    Word{"scratch_url", "spec.scratch.urlFrom"},
    Word{", or raise execution.connect_timeout", ""},
    Word{", or use PGPASSFILE", ""},
    Word{"; if the pooler is known to work in session mode, set execution.allow_session_pooler: true", ""},
    Word{" and name it in ledger_schema", ""},
    Word{", or name another schema in ledger_schema", ""},
    Word{"accept plain text with sslmode=disable",
         "accept plain text with spec.database.sslMode: disable (sslmode=disable in a URL)"},
    Word{"name the authority's certificate with sslrootcert",
         "put the authority's certificate into a Secret and name it in spec.database.tls.rootCertificateFrom"},
    Word{"cannot read the file given by `sslrootcert`", "cannot read the certificate of the authority"},
    Word{"name the file with the certificate of the authority, or use sslrootcert=system if libpq supports it",
         "name a Secret's key that holds it, as PEM, in spec.database.tls.rootCertificateFrom, which verify-ca requires"},
    Word{"allow the method with require_auth", "allow the method with spec.database.requireAuth (require_auth in a URL)"},
    Word{"(sslmode=verify-full without require_auth) or allow require_auth=password,md5,scram-sha-256",
         "(verify-full without requireAuth) or allow requireAuth: password,md5,scram-sha-256 (require_auth=… in a URL)"},
    Word{"execution.lock_retry_budget", "spec.execution.tableLockBudget"},
    Word{"execution.lock_timeout", "spec.execution.tableLockTimeout"},
    Word{"execution.lock_wait", "spec.execution.migrationLockWait"},
    Word{"execution.statement_timeout", "spec.execution.statementTimeout"},
    Word{"execution.search_path", "spec.database.schema"},
    Word{"execution.role", "spec.database.role"},
    Word{"execution.connect_timeout", "the time limit"},
};

constexpr std::array kOptions{
    Word{"raise --max-files or --max-file-size of the operator", "have the operator's limits raised (chart: extraArgs)"},
    Word{"raise --max-files of the operator", "have the operator's limit raised (chart: extraArgs)"},
    Word{"start it with --database-auth", "have databaseAuth.enabled set in the operator's chart"},
    Word{"start it with --backup-root", "have backup.enabled set in the operator's chart"},
    Word{"or start the operator with --job-image", "or have jobs.enabled set in the operator's chart"},
    Word{"start the operator with --source-image and its registry",
         "have its registry added to jobs.sourceImages of the operator's chart"},
    Word{"below a --source-root", "below a folder that the operator allows"},
    Word{"give the operator a writable folder: --cache", "give the operator's pod a writable folder"},
    Word{"give the operator an empty folder of its own: --cache", "give the operator's pod an empty folder of its own"},
};

constexpr std::size_t kMostOfError =
    600;  // bytes; a condition's message has 1 KiB and must keep its end, which says what to do

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

std::string reference_in_words(const DatabaseMigration& resource, const SecretReference& reference) {
  switch (reference.kind) {
    case SecretReference::Kind::SecretKey:
      return "the key " + reference.key + " of Secret " + resource.metadata.name_space + "/" + reference.value;
    case SecretReference::Kind::File:
      return "the file " + reference.value;
    case SecretReference::Kind::Environment:
      break;
  }
  return "the variable " + reference.value;
}

}  // namespace

std::string connection_in_words(const DatabaseMigration& resource) {
  const DatabaseSpec& database = resource.spec.database;
  if (database.url_from) {
    return reference_in_words(resource, *database.url_from);
  }
  if (!database.url.empty()) {
    return "spec.database.url";
  }
  if (database.auth) {
    return "spec.database, with a token of ServiceAccount " + resource.metadata.name_space + "/" +
           database.auth->service_account + " as the password";
  }
  return database.password_from ? "spec.database, with the password in " + reference_in_words(resource, *database.password_from)
                                : std::string("spec.database");
}

std::string source_in_words(const SourceSpec& source) {
  std::string words;
  for (const auto& name : source.config_maps) {
    words += (words.empty() ? "ConfigMap " : ", ConfigMap ") + name;
  }
  if (source.git) {
    return (source.git->path.empty() ? "the root" : "path " + source.git->path) + " of " + source.git->url;
  }
  if (source.flux) {
    return (source.flux->path.empty() ? "the root" : "path " + source.flux->path) + " of " + source.flux->kind + " " +
           source.flux->name;
  }
  if (source.image) {
    return "path " + source.image->path + " of image " + source.image->reference;
  }
  return words.empty() ? "folder " + source.path : words;
}

std::string failed_statement_in_words(const Error& error, const ExecutionReport& report, const Plan* plan,
                                      const SourceSnapshot* snapshot) {
  std::string text = error.describe();
  if (text.size() > kMostOfError) {
    text = std::string(cut_at_character(text, kMostOfError)) + "...";
  }
  if (report.failed_revision.empty()) {
    return text;
  }
  if (!report.unfinished) {
    text += "; the transaction of revision " + report.failed_revision + " was rolled back";
  }
  if (report.current_heads) {
    text += "; the database is at " + heads_text(*report.current_heads, ", ");
  }
  if (error.retry != RetryClass::Terminal || plan == nullptr || snapshot == nullptr) {
    return text;
  }
  const auto failed = std::ranges::find_if(
      plan->revisions, [&](const PlannedRevision& revision) { return revision.walk.revision == report.failed_revision; });
  if (failed != plan->revisions.end() && !failed->path.empty()) {
    text += "; fix " + (report.failed_line > 0 ? "line " + std::to_string(report.failed_line) + " of " : "") +
            snapshot->place_of(failed->path);
  }
  return text;
}

Error in_resource_words(const DatabaseMigration& resource, Error error, bool on_cluster) {
  const std::string connection = connection_in_words(resource);
  for (std::string* const text : {&error.message, &error.context, &error.hint}) {
    if (text->empty()) {
      continue;
    }
    replace_all(*text, "set the environment variable DATABASE_URL, or database_url in athanor.yaml", "set spec.database");
    replace_all(*text, "DATABASE_URL", connection);
    for (const Word& word : kFields) {
      replace_all(*text, word.text, word.replacement);
    }
    if (on_cluster) {
      for (const Word& word : kOptions) {
        replace_all(*text, word.text, word.replacement);
      }
    }
  }
  const std::string& role = resource.spec.database.role;
  if (!role.empty() && error.message.find("role \"" + role + "\" does not exist") != std::string::npos) {
    error.hint = "create the role, or correct spec.database.role";
  }
  return error;
}

}  // namespace athanor::controller
