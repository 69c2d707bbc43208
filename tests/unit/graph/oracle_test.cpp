// Every graph and every query of the oracle: what Alembic itself answers, step by step (tests/golden/alembic_oracle.py makes
// the files). ATHANOR_ORACLE=FILE[,FILE] runs files of other seeds too.
#include <gtest/gtest.h>
#include <zlib.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "migrations/graph/graph.hpp"
#include "migrations/graph/history.hpp"
#include "migrations/graph/walk.hpp"

namespace athanor {
namespace {

using Json = nlohmann::json;
using Codes = std::set<ErrorCode>;

// gzread passes a file through that is not compressed.
Json read_oracle(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    throw std::runtime_error("cannot open " + path);
  }
  std::string text;
  std::vector<char> buffer(1U << 20U);
  for (int got = 0; (got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  gzclose(file);
  return Json::parse(text);
}

std::vector<Revision> revisions_of(const Json& graph) {
  std::vector<Revision> revisions;
  for (const Json& one : graph["revisions"]) {
    Revision revision;
    revision.id = one["id"];
    revision.down = one["down"].get<std::vector<std::string>>();
    revision.depends_on = one["depends_on"].get<std::vector<std::string>>();
    revision.labels = one["labels"].get<std::vector<std::string>>();
    revision.path = one["file"];
    revisions.push_back(std::move(revision));
  }
  return revisions;
}

// Our codes for a class of Alembic's errors. Empty: Alembic crashed or hung, and any clear error is right.
Codes codes_for(const Json& error, const std::string& operation) {
  if (error["crash"].get<bool>()) {
    return {};
  }
  const std::string cause = error["cause"].is_null() ? "" : error["cause"].get<std::string>();
  const std::string text = error[cause.empty() ? "message" : "cause_message"];
  const auto begins = [&](const char* with) { return text.starts_with(with); };
  if (cause == "ResolutionError") {
    if (begins("Multiple revisions start")) {
      return {ErrorCode::AmbiguousPrefix};
    }
    if (begins("No such branch")) {
      return {ErrorCode::UnknownRevision, ErrorCode::UnknownDatabaseRevision, ErrorCode::AmbiguousPrefix};
    }
    return {ErrorCode::UnknownRevision, ErrorCode::UnknownDatabaseRevision};
  }
  if (cause == "RangeNotAncestorError") {
    return {operation == "downgrade" ? ErrorCode::InvalidDowngradeTarget : ErrorCode::InvalidTarget};
  }
  static const std::vector<std::pair<std::string, ErrorCode>> kByCause{
      {"MultipleHeads", ErrorCode::MultipleHeads},
      {"LoopDetected", ErrorCode::SelfLoop},
      {"CycleDetected", ErrorCode::Cycle},
      {"DependencyLoopDetected", ErrorCode::DependencySelfLoop},
      {"DependencyCycleDetected", ErrorCode::DependencyCycle}};
  for (const auto& [name, code] : kByCause) {
    if (cause == name) {
      return {code};
    }
  }
  static const std::vector<std::pair<const char*, ErrorCode>> kByText{
      {"Ambiguous walk", ErrorCode::AmbiguousWalk},
      {"Ambiguous upgrade", ErrorCode::AmbiguousWalk},
      {"Walked too far", ErrorCode::WalkedTooFar},
      {"Relative revision", ErrorCode::RelativeOutOfRange},
      {"Not a valid downgrade", ErrorCode::InvalidDowngradeTarget},
      {"Requested revision", ErrorCode::OverlappingHeads},
      {"Branch name", ErrorCode::DuplicateLabel},
      {"Character(s)", ErrorCode::InvalidRevisionId},
      {"Range revision not allowed", ErrorCode::RangeNotAllowed}};
  for (const auto& [begin, code] : kByText) {
    if (begins(begin)) {
      return {code};
    }
  }
  ADD_FAILURE() << "a class of error that this test does not know: " << error.dump();
  return {};
}

std::string describe(const Error& error) {
  return std::string(error_name(error.code)) + ": " + error.describe();
}

Json operations_of(const WalkStep& step) {
  Json operations = Json::array();
  for (const RowOperation& one : step.operations) {
    switch (one.kind) {
      case RowOperation::Kind::Insert:
        operations.push_back({"insert", one.to});
        break;
      case RowOperation::Kind::Delete:
        operations.push_back({"delete", one.from});
        break;
      case RowOperation::Kind::Update:
        operations.push_back({"update", one.from, one.to});
        break;
    }
  }
  return operations;
}

// What is wrong with `walk`, seen from one answer; empty when nothing is.
std::string difference(const Walk& walk, const Json& answer) {
  if (!answer["ok"].get<bool>()) {
    return "expected an error: " + answer["error"].dump();
  }
  if (walk.steps.size() != answer["steps"].size()) {
    return "expected " + std::to_string(answer["steps"].size()) + " steps, got " + std::to_string(walk.steps.size());
  }
  if (walk.warnings.empty() != !answer.contains("warnings")) {
    return "warnings differ";
  }
  for (std::size_t i = 0; i < walk.steps.size(); ++i) {
    const WalkStep& step = walk.steps[i];
    const Json& wanted = answer["steps"][i];
    Json got{{"dir", direction_name(step.direction)}, {"heads", step.heads}};
    if (step.revision) {
      got["id"] = *step.revision;
    } else {
      got["from"] = step.from;
      got["to"] = step.to;
    }
    if (wanted.contains("ops")) {
      got["ops"] = operations_of(step);
    }
    if (got != wanted) {
      return "step " + std::to_string(i) + ": expected " + wanted.dump() + ", got " + got.dump();
    }
  }
  return {};
}

std::string difference(const Error& error, const Json& answer, const std::string& operation) {
  if (answer.contains("ok") && answer["ok"].get<bool>()) {
    return "expected " + std::to_string(answer["steps"].size()) + " steps, got " + describe(error);
  }
  if (error.message.empty() || error.hint.empty()) {
    return "an error without message or way out: " + describe(error);
  }
  const Codes codes = codes_for(answer["error"], operation);
  return codes.empty() || codes.contains(error.code) ? "" : "expected " + answer["error"].dump() + ", got " + describe(error);
}

// The answer itself, or any of the alternatives where Alembic's answer depends on chance.
template <class Compare>
std::string best(const Json& holder, const char* key, const char* alternatives, const Compare& compare) {
  std::string first = compare(holder[key]);
  if (!first.empty() && holder.contains(alternatives)) {
    for (const Json& one : holder[alternatives]) {
      if (compare(one).empty()) {
        return {};
      }
    }
  }
  return first;
}

std::string summary_difference(const RevisionGraph& graph, const Json& wanted) {
  const auto history = history_range(graph, "", "");
  if (!history) {
    return wanted.contains("error") ? difference(history.error(), wanted, "history") : describe(history.error());
  }
  if (wanted.contains("error")) {
    return "expected an error: " + wanted["error"].dump();
  }
  Json labels = Json::object();
  for (const auto& [id, names] : inherited_labels(graph)) {
    labels[id] = names;
  }
  const Json got{{"heads", graph.heads()},
                 {"effective_heads", graph.effective_heads()},
                 {"bases", graph.bases()},
                 {"branch_points", branch_points(graph)},
                 {"merge_points", merge_points(graph)},
                 {"all_labels", labels},
                 {"history", *history}};
  return got == wanted ? "" : "expected " + wanted.dump() + "\n     got " + got.dump();
}

class Replay {
 public:
  explicit Replay(const std::string& path) : path_(path), oracle_(read_oracle(path)) {
    for (const Json& graph : oracle_["graphs"]) {
      run(graph);
    }
    std::cout << path << ": " << graphs << " graphs, " << queries << " queries, " << wrong << " wrong, " << refused_circles
              << " answered by Alembic on a circular graph and refused here" << std::endl;
  }

  std::size_t graphs = 0;
  std::size_t queries = 0;
  std::size_t wrong = 0;
  std::size_t refused_circles = 0;

 private:
  void report(const Json& graph, const std::string& question, const std::string& what) {
    if (!what.empty()) {
      ++wrong;
      ADD_FAILURE() << path_ << ", graph " << graph["index"] << ", " << question << ": " << what;
    }
  }

  void run(const Json& graph) {
    ++graphs;
    auto built = RevisionGraph::build(revisions_of(graph));
    if (graph["broken"] == "dup_id") {
      // Refused where it matters; for looking on, Alembic's reading of it.
      EXPECT_FALSE(built);
      EXPECT_TRUE(built || built.error().code == ErrorCode::DuplicateRevision);
      built = RevisionGraph::build(revisions_of(graph), Duplicates::KeepLast);
    }
    if (!built) {
      refused(graph, built.error());
      return;
    }
    EXPECT_NE(graph["broken"], "dep_cycle") << path_ << ", graph " << graph["index"];
    report(graph, "summary", best(graph, "summary", "summary_alternatives", [&](const Json& wanted) {
             return summary_difference(*built, wanted);
           }));
    for (const Json& query : graph["queries"]) {
      ++queries;
      ask(graph, *built, query);
    }
  }

  void refused(const Json& graph, const Error& error) {
    const std::string broken = graph["broken"].is_null() ? "nothing" : graph["broken"].get<std::string>();
    queries += graph["queries"].size();
    if (broken == "dep_cycle" || broken == "dup_id") {
      for (const Json& query : graph["queries"]) {
        refused_circles += query["result"]["ok"].get<bool>() ? 1U : 0U;
      }
    }
    if (broken == "dep_cycle") {
      // Alembic notices some of these circles, hangs on others and lets the rest pass. None can ever be applied in order.
      EXPECT_EQ(error.code, ErrorCode::DependencyCycle) << path_ << ", graph " << graph["index"];
      return;
    }
    if (broken == "dup_id") {  // the second file may also close a circle
      EXPECT_TRUE(error.code == ErrorCode::Cycle || error.code == ErrorCode::DependencyCycle) << error.describe();
      return;
    }
    if (broken == "missing_down" || broken == "missing_dep") {
      EXPECT_EQ(error.code, broken == "missing_down" ? ErrorCode::MissingParent : ErrorCode::MissingDependency);
    }
    report(graph, "summary",
           graph["summary"].contains("error") ? difference(error, graph["summary"], "build") : describe(error));
    for (const Json& query : graph["queries"]) {
      report(graph, query["target"], query["result"]["ok"].get<bool>() ? "expected an answer, got " + describe(error) : "");
    }
  }

  void ask(const Json& graph, const RevisionGraph& built, const Json& query) {
    const std::string operation = query["op"];
    const std::string target = query["target"];
    const auto rows = query["from"].get<std::vector<std::string>>();
    const auto begin = std::chrono::steady_clock::now();
    const Result<Walk> walk = operation == "upgrade"     ? upgrade_walk(built, rows, target)
                              : operation == "downgrade" ? downgrade_walk(built, rows, target)
                                                         : stamp_walk(built, rows, {target});
    const auto took = std::chrono::steady_clock::now() - begin;
    const std::string question = operation + " " + query["from"].dump() + " '" + target + "'";
    EXPECT_LT(took, std::chrono::milliseconds(100)) << question;
    report(graph, question, best(query, "result", "alternatives", [&](const Json& answer) {
             return walk ? difference(*walk, answer) : difference(walk.error(), answer, operation);
           }));
  }

  std::string path_;
  Json oracle_;
};

TEST(Oracle, AnswersEveryGraphAndQueryOfTheGoldenFileAsAlembicDoes) {
  const Replay replay(ATHANOR_SOURCE_DIR "/tests/golden/alembic-oracle-seed1.json.gz");
  EXPECT_EQ(replay.graphs, 300U);
  EXPECT_EQ(replay.queries, 5752U);
  EXPECT_EQ(replay.wrong, 0U);
  EXPECT_EQ(replay.refused_circles, 0U);
}

TEST(Oracle, AnswersTheFilesOfOtherSeedsNamedInTheEnvironment) {
  const char* named = std::getenv("ATHANOR_ORACLE");
  std::string paths = named == nullptr ? "" : named;
  while (!paths.empty()) {
    const auto comma = paths.find(',');
    const Replay replay(paths.substr(0, comma));
    EXPECT_GT(replay.queries, 0U);
    EXPECT_EQ(replay.wrong, 0U);
    paths = comma == std::string::npos ? "" : paths.substr(comma + 1);
  }
}

}  // namespace
}  // namespace athanor
