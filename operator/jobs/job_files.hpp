// The revision files of a Job's pod when the operator fetched them: from ConfigMaps, Git or Flux.
//
// They are the files of the snapshot that the plan was made from, in immutable ConfigMaps owned by the Job. Changes of the
// source in the meantime have no effect, and the pod needs no credentials to fetch it. Kubernetes deletes the ConfigMaps with
// the Job.
//
// An owner must exist first, so the Job is created before its ConfigMaps; its pod cannot start until all of them exist. An
// annotation of the Job names the last ConfigMap, which shows whether the Job is complete (job_runner.hpp). The names are
// random for each Job, also when the Job's name is reused, because its predecessor's ConfigMaps may still be being deleted.
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

// Annotation of a Job: the name of the last ConfigMap created for it.
inline constexpr const char* kFilesAnnotation = "athanor.dev/files";

class JobFiles {
 public:
  JobFiles() = default;
  // Packs the files of `snapshot` for a Job. Packs nothing when the pod reads the source itself (a path or an image). Errors:
  // FileTooLarge when a file does not fit into one ConfigMap or all files not into sixteen. The ConfigMaps are called `name`, a
  // dash and a number.
  [[nodiscard]] static Result<JobFiles> pack(const DatabaseMigration& resource, const SourceSnapshot* snapshot,
                                             std::string name);

  [[nodiscard]] std::size_t size() const { return parts_.size(); }  // number of ConfigMaps
  [[nodiscard]] std::string last() const { return name_of(parts_.size()); }
  // Returns the files as a volume of the pod, without the volume's name.
  [[nodiscard]] KubeObject volume() const;
  // Returns one ConfigMap, counted from 0, owned by `job`, which must exist.
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
  std::size_t path_bytes_ = 0;  // of all items, because they are part of the Job and the pod
};

// Whether the operator passes the files of this source to a Job.
[[nodiscard]] bool is_handed_over(const SourceSpec& source);

}  // namespace athanor::controller
