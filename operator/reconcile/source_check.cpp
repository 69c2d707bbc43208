#include "operator/reconcile/source_check.hpp"

#include <algorithm>
#include <utility>

#include "migrations/text/letter_case.hpp"
#include "operator/reconcile/resource_words.hpp"

namespace athanor::controller {

// A mistyped key or folder also contains no revisions, and a database without revisions would count as up to date.
Result<void> check_source(const DatabaseMigration& resource, const SourceSnapshot& snapshot) {
  if (snapshot.graph().size() > 0 || resource.spec.target_revision == "base") {
    return {};
  }
  const bool has_folders = resource.spec.source.config_maps.empty();
  std::string message = "no revision files in the source: " + source_in_words(resource.spec.source);
  for (const auto& ignored : snapshot.ignored()) {
    message += (&ignored == &snapshot.ignored().front() ? "; ignored: " : ", ") + ignored;
  }
  return fail(Error(ErrorCode::MalformedRevision, std::move(message))
                  .at("spec.source")
                  .advise(std::string("revision files end in .sql or .py") +
                          (has_folders ? "; name their folder, or set source.recursive if they are in its subfolders" : "") +
                          "; to declare a database without revisions, set targetRevision: base"));
}

// Do not act on, or even compare, any content other than spec.source.revision: it is not what the user declared. Returns
// nullopt when the content matches or none is declared.
std::optional<Verdict> wait_for_source(const DatabaseMigration& resource, const SourceSnapshot& snapshot) {
  constexpr milliseconds kCheckAgain{60'000};  // a watch or a poll reports a change before that
  const std::string& wanted = resource.spec.source.revision;
  const bool matches =
      snapshot.revision() == wanted || std::ranges::any_of(snapshot.names(), [&wanted](const std::string& name) {
        return lowered(name) == lowered(wanted);  // digests and commits are hexadecimal
      });
  if (wanted.empty() || matches) {
    return std::nullopt;
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::Waiting;
  verdict.reason = Reason::SourceOutdated;
  verdict.message = "the source is at " + snapshot.revision();
  if (!snapshot.names().empty() && snapshot.revision().find(snapshot.names().front()) == std::string::npos) {
    verdict.message += " (" + snapshot.names().front() + ")";
  }
  verdict.message += ", not at spec.source.revision " + wanted + "; nothing runs until it is";
  verdict.requeue_after = kCheckAgain;
  return verdict;
}

}  // namespace athanor::controller
