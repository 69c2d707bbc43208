// The revision files of a Job's pod, where it is the operator that fetched them: from ConfigMaps, Git or Flux.
//
// They are those of the snapshot that the plan was made from, in immutable ConfigMaps of the Job's own. What becomes of the
// source meanwhile changes nothing, and the pod needs nothing to fetch it with. Kubernetes removes them with the Job.
//
// Only what exists can own something, so the Job is made first; until its files are there its pod cannot start. The Job names
// the last of them in an annotation: whoever finds a Job without it knows that it never will (job_runner.hpp). The names are
// new for each Job, also for one of the same name: those of its predecessor may still be on their way out.
//
// Threads: plain values; pack() reads the snapshot's files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// The last of the ConfigMaps that were made for a Job.
inline constexpr const char* kFilesAnnotation = "athanor.dev/files";

class JobFiles {
 public:
  JobFiles() = default;
  // Of a source that the pod has by itself (a path, an image): none. FileTooLarge when a file does not fit into a ConfigMap, or
  // all of them not into sixteen. The ConfigMaps are called `name`, a dash, and a number.
  [[nodiscard]] static Result<JobFiles> pack(const DatabaseMigration& resource, const SourceSnapshot* snapshot,
                                             std::string name);

  [[nodiscard]] std::size_t size() const { return parts_.size(); }  // in ConfigMaps
  [[nodiscard]] std::string last() const { return name_of(parts_.size()); }
  // As a volume of the pod, without its name.
  [[nodiscard]] KubeObject volume() const;
  // One of them, counted from 0; it belongs to `job`, which exists.
  [[nodiscard]] KubeObject config_map(std::size_t index, const KubeObject& job) const;

 private:
  struct Part {
    KubeObject data = KubeObject::object();
    KubeObject items = KubeObject::array();  // key and path of each file; empty: the keys are the paths
    std::size_t bytes = 0;
  };
  [[nodiscard]] std::string name_of(std::size_t number) const { return name_ + "-" + std::to_string(number); }
  [[nodiscard]] Result<void> add(const std::string& path, std::string text, const std::string& shown);

  std::string name_;
  std::vector<Part> parts_;
  std::size_t files_ = 0;
  std::size_t path_bytes_ = 0;  // of all items: they are part of Job and pod
};

// Whether the operator hands this source's files to a Job.
[[nodiscard]] bool is_handed_over(const SourceSpec& source);

}  // namespace athanor::controller
