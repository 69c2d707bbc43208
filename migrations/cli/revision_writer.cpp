#include "migrations/cli/revision_writer.hpp"

#include <algorithm>
#include <filesystem>

#include "migrations/base/ids.hpp"
#include "migrations/graph/history.hpp"
#include "migrations/revision/revision_id.hpp"
#include "migrations/revision/revision_template.hpp"

namespace athanor::cli {
namespace {

namespace fs = std::filesystem;

Result<std::vector<std::string>> resolve_parents(const RevisionGraph& graph, const RevisionRequest& request) {
  std::vector<std::string> parents;
  const std::vector<std::string> symbols = request.heads.empty() ? std::vector<std::string>{"head"} : request.heads;
  for (const std::string& symbol : symbols) {
    auto found = graph.resolve(symbol);
    if (!found) {
      Error error = std::move(found).error();
      if (error.code == ErrorCode::MultipleHeads) {
        error.hint = "name the parent with --head <revision>, or join the heads first: athanor merge heads -m \"…\"";
      }
      return fail(std::move(error));
    }
    for (std::string& id : *found) {
      if (std::ranges::find(parents, id) != parents.end()) {
        return fail(Error(ErrorCode::InvalidTarget, "revision '" + id + "' is given as a parent twice").advise("give it once"));
      }
      parents.push_back(std::move(id));
    }
  }
  for (const std::string& parent : parents) {
    if (!request.splice && !is_head(graph, parent)) {
      return fail(Error(ErrorCode::NotAHead, "revision '" + parent + "' is not a head")
                      .advise("add --splice to start a new branch from it"));
    }
  }
  return parents;
}

// Expands prefixes to full ids; labels stay as written.
Result<std::vector<std::string>> resolve_dependencies(const RevisionGraph& graph, const std::vector<std::string>& symbols) {
  std::vector<std::string> dependencies;
  for (const std::string& symbol : symbols) {
    TRY_ASSIGN(const auto ids, graph.resolve(symbol));
    if (ids.size() != 1) {
      return fail(Error(ErrorCode::InvalidTarget,
                        "--depends-on " + symbol + " means " + std::to_string(ids.size()) + " revisions, not one")
                      .advise("name one revision or one branch label"));
    }
    const auto labels = graph.branch_labels(ids.front());
    // A label keeps following its branch, while an id stays fixed.
    const bool is_label = std::ranges::find(labels, symbol) != labels.end();
    dependencies.push_back(is_label ? symbol : ids.front());
  }
  return dependencies;
}

bool same_folder(const std::string& a, const std::string& b) {
  // Appending an empty part makes "versions" and "versions/" equal.
  std::error_code problem;
  return fs::weakly_canonical(fs::absolute(a, problem) / "", problem) ==
         fs::weakly_canonical(fs::absolute(b, problem) / "", problem);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += text.empty() ? "" : ", ";
    text += word;
  }
  return text;
}

Result<std::string> choose_location(const Configuration& configuration, const RevisionGraph& graph,
                                    const RevisionRequest& request, const std::vector<std::string>& parents) {
  const auto& locations = configuration.version_locations;
  if (!request.version_path.empty()) {
    const auto found = std::ranges::find_if(
        locations, [&](const std::string& location) { return same_folder(location, request.version_path); });
    if (found == locations.end()) {
      return fail(Error(ErrorCode::Usage, "'" + request.version_path + "' is not one of the version locations")
                      .advise("version locations: " + joined(locations)));
    }
    return *found;
  }
  if (locations.size() == 1) {
    return locations.front();
  }
  for (const std::string& parent : parents) {
    const std::string& path = graph.find(parent)->path;
    const auto found =
        std::ranges::find_if(locations, [&](const std::string& location) { return path.starts_with(location + "/"); });
    if (found != locations.end()) {
      return *found;
    }
  }
  return fail(Error(ErrorCode::Usage, "there are several version locations")
                  .advise("choose one with --version-path: " + joined(locations)));
}

// Builds the graph with the new revision, to find a used id or label, or a dependency that causes a cycle.
Result<void> check_in_graph(const RevisionGraph& graph, const Revision& revision) {
  std::vector<Revision> revisions = graph.revisions();
  revisions.push_back(revision);
  return RevisionGraph::build(std::move(revisions)).map([](const RevisionGraph&) {});
}

}  // namespace

std::string merge_message(const std::vector<std::string>& parents) {
  std::string text = "Merge ";
  for (std::size_t i = 0; i < parents.size(); ++i) {
    text += i == 0 ? "" : (i + 1 == parents.size() ? " and " : ", ");
    text += parents[i];
  }
  return text;
}

Result<RevisionDraft> draft_revision(const Configuration& configuration, const RevisionGraph& graph,
                                     const RevisionRequest& request, WallTime now) {
  TRY(check_message(request.message));
  RevisionDraft draft;
  Revision& revision = draft.revision;
  revision.id = request.id.empty() ? new_revision_id() : request.id;
  TRY(check_new_revision_id(revision.id));
  for (const std::string& label : request.labels) {
    TRY(check_revision_label(label));
  }
  revision.message = request.message;
  revision.labels = request.labels;
  TRY_ASSIGN(revision.down, resolve_parents(graph, request));
  TRY_ASSIGN(revision.depends_on, resolve_dependencies(graph, request.depends_on));
  TRY_ASSIGN(const std::string location, choose_location(configuration, graph, request, revision.down));
  TRY_ASSIGN(NewRevisionFile file, name_new_revision(configuration.naming, location, revision.id, revision.message, now));
  revision.path = std::move(file.path);
  revision.created = std::move(file.created);
  TRY(check_in_graph(graph, revision));
  TRY_ASSIGN(draft.text, render_native_revision(revision, request.body));
  return draft;
}

}  // namespace athanor::cli
