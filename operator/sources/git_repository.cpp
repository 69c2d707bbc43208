#include "operator/sources/git_repository.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "operator/sources/git_tree.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxFetches = 200;  // then our copy is recreated, because it is never garbage-collected
constexpr milliseconds kJustNow{2'000};
constexpr milliseconds kAskAgain{15'000};  // shortest pause before contacting an unreachable server again

// Returns what the resource names in git's form: a full reference, or the id of a commit.
std::string reference_of(const GitSource& source) {
  if (!source.commit.empty()) {
    return source.commit;
  }
  return source.tag.empty() ? "refs/heads/" + source.branch : "refs/tags/" + source.tag;
}

std::string named_by(const GitSource& source) {
  return source.tag.empty() ? "branch '" + source.branch + "'" : "tag '" + source.tag + "'";
}

std::string revision_of(const GitSource& source, const std::string& commit) {
  return source.commit.empty() ? (source.tag.empty() ? source.branch : source.tag) + "@" + commit : commit;
}

// Finds `name` in the output of ls-remote ("<id>\t<name>") and returns its id; empty when it is not listed.
std::string id_of(const std::string& listing, const std::string& name) {
  const std::string end = "\t" + name + "\n";
  for (std::size_t begin = 0; begin < listing.size();) {
    const std::size_t line_end = std::min(listing.find('\n', begin), listing.size() - 1) + 1;
    const std::string line = listing.substr(begin, line_end - begin);
    if (line.ends_with(end) && line.find('\t') + end.size() == line.size()) {
      return line.substr(0, line.find('\t'));
    }
    begin = line_end;
  }
  return {};
}

Error in_repository(Error error, const std::string& url) {
  if (error.context.empty()) {
    error.context = url;
  }
  return error;
}

bool is_object_name(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

GitRepositories::Repository::Repository(const GitCommand& git, Clock& clock, const GitOptions& options, std::string url,
                                        GitCredentials credentials, std::string folder)
    : git_(git),
      clock_(clock),
      options_(options),
      url_(std::move(url)),
      credentials_(std::move(credentials)),
      folder_(std::move(folder)),
      used_(clock.steady_now()),
      held_(*options.quota, CacheQuota::Item::Use::Shared) {}

GitRepositories::Repository::~Repository() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

// Returns the entry of `key`. Drops entries that were not used for a while and that no thread refers to (use_count() of 1: the
// map's own).
template <class T>
std::shared_ptr<T> GitRepositories::Repository::entry(std::map<std::string, std::shared_ptr<T>>& entries,
                                                      const std::string& key) {
  const SteadyTime now = clock_.steady_now();
  const Lock lock(entries_mutex_);
  std::erase_if(entries, [&](const auto& known) {
    return known.second.use_count() == 1 && now - known.second->used > options_.keep_unused();
  });
  auto& found = entries[key];
  if (!found) {
    found = std::make_shared<T>(clock_);
  }
  found->used = now;
  return found;
}

Result<LoadedSource> GitRepositories::Repository::load(const Request& request, bool retry_now) {
  const GitSource& source = request.source;
  used_ = clock_.steady_now();
  // What is there already stays, however much it is; only a fetch is refused.
  [[maybe_unused]] const auto counted = held_.hold(request.name_space, fetched_, used_);
  const std::string reference = reference_of(source);
  const auto known = entry(references_, reference);
  TRY_ASSIGN(const Tip tip, find_tip(source, request.name_space, *known, retry_now));
  const std::string place = reference + '\n' + source.path + (request.recursive ? "\n**" : "");
  const std::string id = sha256_hex(folder_ + '\n' + tip.commit + '\n' + place);
  auto snapshot = entry(snapshots_, place)
                      ->work.get([&id](const std::shared_ptr<SourceSnapshot>& made) { return made->id() == id; },
                                 [&] { return unpack(request, tip.commit, id); }, id + sharing_key(request.name_space));
  if (snapshot) {
    return LoadedSource(std::move(*snapshot), tip.doubt);
  }
  if (tip.doubt) {
    return fail(*tip.doubt);  // neither the server nor the cache has the files
  }
  // Our copy was recreated between find_tip() and unpack(), and the commit is gone. Marking the tip stale makes the retry fetch
  // it again.
  known->stale = known->stale || snapshot.error().code == ErrorCode::StalePlan;
  return fail(in_repository(std::move(snapshot).error(), url_));
}

std::optional<std::string> GitRepositories::Repository::ask_again(const GitSource& source, const std::string& name_space) {
  used_ = clock_.steady_now();
  const auto tip = find_tip(source, name_space, *entry(references_, reference_of(source)), false);
  return tip && !tip->doubt ? std::optional(revision_of(source, tip->commit)) : std::nullopt;
}

Result<GitRepositories::Repository::Tip> GitRepositories::Repository::find_tip(const GitSource& source,
                                                                               const std::string& name_space,
                                                                               Reference& reference, bool retry_now) {
  if (!retry_now) {
    // The server could not be reached a few seconds ago. Use the last known commit instead of waiting for another time-out:
    // hundreds of resources may name this repository.
    if (auto last_good = remembered(reference, std::min(kAskAgain, options_.requeue_after))) {
      return std::move(*last_good);
    }
  }
  // Slightly less than the interval, so that a poll after one interval does not get the answer of the previous poll.
  const milliseconds known_for = std::min(source.interval * 9 / 10, options_.requeue_after);
  // A commit never changes, so it is looked up once. A tag or branch is asked for again after the interval.
  const auto good = [&](const Tip& tip) {
    const auto age = clock_.steady_now() - tip.checked_at;
    return !reference.stale && (!source.commit.empty() || age < (retry_now ? kJustNow : known_for));
  };
  auto tip = reference.work.get(
      good,
      [&]() -> Result<Tip> {
        reference.stale = false;
        auto commit = resolve_and_fetch(source, name_space);
        const SteadyTime now = clock_.steady_now();
        const Lock lock(reference.mutex);
        if (commit) {
          reference.good = Tip{*commit, now, std::nullopt};
          reference.failure.reset();
          return *reference.good;
        }
        Error error = in_repository(std::move(commit).error(), url_);
        if (error.code == ErrorCode::Io && error.retry == RetryClass::Transient) {
          reference.failure = error;
          reference.failed_at = now;
        }
        return fail(std::move(error));
      },
      sharing_key(name_space));
  // The server cannot be reached. Use the last known commit, unless a changed resource waits for a real answer.
  if (!tip && !retry_now) {
    if (auto last_good = remembered(reference, options_.outage)) {
      return std::move(*last_good);
    }
  }
  return tip;
}

// Returns the last known tip, with the failure, when the server could not be reached for the last time less than `max_age`
// ago and the tip is not older than the allowed outage.
std::optional<GitRepositories::Repository::Tip> GitRepositories::Repository::remembered(Reference& reference,
                                                                                        milliseconds max_age) const {
  const SteadyTime now = clock_.steady_now();
  const Lock lock(reference.mutex);
  if (!reference.failure || !reference.good || now - reference.failed_at >= max_age ||
      now - reference.good->checked_at >= options_.outage) {
    return std::nullopt;
  }
  return Tip{reference.good->commit, reference.good->checked_at, reference.failure};
}

// Returns the commit that the source names now, after making sure that our copy has it.
Result<std::string> GitRepositories::Repository::resolve_and_fetch(const GitSource& source, const std::string& name_space) {
  const Lock lock(turn_);
  std::error_code problem;
  std::filesystem::create_directories(folder_, problem);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, problem);
  if (problem) {
    return fail(Error(ErrorCode::Io, "cannot create a folder for the repository: " + problem.message())
                    .advise("give the operator a writable folder: --cache"));
  }
  TRY_ASSIGN(GitAccess access, GitAccess::prepare(credentials_, url_));
  TRY(access.pin(url_, std::ranges::any_of(git_.surroundings().environment, [](const std::string& variable) {
                   return variable.starts_with("http") || variable.starts_with("HTTP") || variable.starts_with("all_proxy") ||
                          variable.starts_with("ALL_PROXY");
                 })));
  std::string wanted = source.commit;
  if (wanted.empty()) {
    TRY_ASSIGN(wanted, query_commit(source, access));
  }
  if (holds(wanted)) {
    return wanted;
  }
  return fetch(wanted, source, name_space, access);
}

// Asks the server what the tag or branch points to.
Result<std::string> GitRepositories::Repository::query_commit(const GitSource& source, const GitAccess& access) const {
  const std::string reference = reference_of(source);
  GitRun run;
  run.arguments = {"ls-remote", "--quiet", "--", url_, reference, reference + "^{}"};
  run.access = &access;
  TRY_ASSIGN(const std::string listing, git_.output(std::move(run)));
  std::string id = id_of(listing, reference + "^{}");  // for an annotated tag, the commit instead of the tag object
  id = id.empty() ? id_of(listing, reference) : id;
  if (id.empty()) {
    return fail(Error(ErrorCode::Io, "the repository has no " + named_by(source))
                    .with_retry(RetryClass::Terminal)
                    .advise("push it, or name another one"));
  }
  if (!is_object_name(id)) {
    return fail(Error(ErrorCode::Io, "cannot parse the server's response"));
  }
  return id;
}

Result<void> GitRepositories::Repository::check_size(const std::string& name_space) {
  fetched_ = bytes();
  if (fetched_ > options_.max_repository_bytes) {
    return fail(Error(ErrorCode::FileTooLarge,
                      "one commit of the repository has more than " + std::to_string(options_.max_repository_bytes) + " bytes")
                    .advise("keep the revisions in a smaller repository"));
  }
  return held_.hold(name_space, fetched_, clock_.steady_now());
}

Result<std::string> GitRepositories::Repository::fetch(const std::string& wanted, const GitSource& source,
                                                       const std::string& name_space, const GitAccess& access) {
  // Recreate our copy instead of pruning it: everything in it can be fetched again.
  if (digits_ != wanted.size() || !made() || fetches_ >= kMaxFetches || bytes() > options_.max_repository_bytes / 2) {
    begin_anew();
    TRY(make(wanted.size()));
  }
  ++fetches_;
  const std::string reference = reference_of(source);
  // Fetch the commit without its history into our own reference. The reference keeps it reachable in our copy, even
  // when the branch moves.
  const std::string local = "refs/athanor/" + sha256_hex(reference).substr(0, 16);
  GitRun run;
  run.repository = bare();
  run.arguments = {"fetch",
                   "--quiet",
                   "--depth=1",
                   "--no-tags",
                   "--no-recurse-submodules",
                   "--no-write-fetch-head",
                   "--force",
                   "--no-auto-maintenance",
                   "--",
                   url_,
                   "+" + reference + ":" + local};
  run.access = &access;
  // No listing announces the size of a pack, so check it while git receives it, and once more at the end.
  run.watch = [&] { return check_size(name_space); };
  auto fetched = git_.run(run);
  if (fetched) {
    fetched = run.watch();
  }
  if (!fetched) {
    begin_anew();  // a killed git leaves lock files behind
    return fail(std::move(fetched).error());
  }
  GitRun parse;
  parse.repository = bare();
  parse.arguments = {"rev-parse", "--verify", "--quiet", local + "^{commit}"};
  auto commit = git_.output(std::move(parse));
  if (commit && commit->ends_with('\n')) {
    commit->pop_back();
  }
  if (!commit || !is_object_name(*commit) || (!source.commit.empty() && *commit != source.commit)) {
    return fail(Error(ErrorCode::Io, source.commit.empty() ? "the " + named_by(source) + " does not point to a commit"
                                                           : source.commit.substr(0, 12) + " is not a commit")
                    .with_retry(RetryClass::Terminal)
                    .advise("name a commit, or a tag or branch of one"));
  }
  present_.insert(*commit);
  return *commit;  // a branch may have moved between ls-remote and fetch; use what was fetched
}

Result<void> GitRepositories::Repository::make(std::size_t digits) {
  GitRun run;
  run.repository = bare();
  run.arguments = {"init", "--quiet", "--bare",
                   "--template=", digits == 64 ? "--object-format=sha256" : "--object-format=sha1"};
  TRY(git_.run(run));
  digits_ = digits;
  return {};
}

void GitRepositories::Repository::begin_anew() {
  std::error_code ignored;
  std::filesystem::remove_all(bare(), ignored);
  present_.clear();
  held_.empty();
  fetched_ = 0;
  digits_ = 0;
  fetches_ = 0;
}

bool GitRepositories::Repository::made() const {
  std::error_code problem;
  return digits_ != 0 && std::filesystem::exists(bare() + "/HEAD", problem);
}

// Returns the size of all packs, including the one being received.
std::uint64_t GitRepositories::Repository::bytes() const {
  std::uint64_t sum = 0;
  std::error_code problem;
  // git renames and deletes files while it receives a pack, so a file may be gone before its size is read.
  for (std::filesystem::directory_iterator file(bare() + "/objects/pack", problem), end; !problem && file != end;
       file.increment(problem)) {
    std::error_code vanished;
    const auto size = file->file_size(vanished);
    sum += vanished ? 0 : size;
  }
  return sum;
}

Result<std::shared_ptr<SourceSnapshot>> GitRepositories::Repository::unpack(const Request& request, const std::string& commit,
                                                                            const std::string& id) {
  const GitSource& source = request.source;
  const auto path = clean_inner_path(source.path);
  if (!path) {
    return fail(Error(ErrorCode::PathEscape, "git.path leads out of the repository"));
  }
  const Lock lock(turn_);
  if (!holds(commit)) {
    // Our copy was recreated since the commit was found. The next load fetches the commit.
    return fail(Error(ErrorCode::StalePlan, "the repository was fetched again in the meantime"));
  }
  TRY_ASSIGN(auto folder, UnpackedFolder::create(options_.folder));
  TRY(unpack_tree(git_, {bare(), commit, *path, request.recursive, options_.limits}, *folder));
  TRY(folder->hold(*options_.quota, request.name_space, clock_.steady_now()));
  UnpackedContent content;
  content.id = id;
  content.revision = revision_of(source, commit);
  content.folder = *path;
  content.recursive = request.recursive;
  content.limits = options_.limits;
  TRY_ASSIGN(auto snapshot, make_snapshot(std::move(folder), content));
  snapshot->set_names({commit});
  return snapshot;
}

}  // namespace athanor::controller
