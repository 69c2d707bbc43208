// Describes the pod of a Job: its variables, volumes, mounts and arguments for the database and the revisions.
//
// No secret is ever copied: a variable names the key of a Secret, and the kubelet fills it in. A value that could only be
// copied (a password in the resource, a file of the operator's own pod) is refused. Text from the resource reaches the pod
// unchanged: Kubernetes' $(NAME) is not expanded in it.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/jobs/job_files.hpp"
#include "operator/kube/api_client.hpp"

namespace athanor::controller {

struct JobPod {
  KubeObject environment = KubeObject::array();
  KubeObject volumes = KubeObject::array();
  KubeObject mounts = KubeObject::array();
  KubeObject arguments = KubeObject::array();
  bool reads_keys = false;  // mounts a client key, which only the pod's process may read

  // These four add literal text: a '$' is escaped.
  void add_variable(const std::string& name, const std::string& value);
  // "--name=value"
  void add_flag(const std::string& name, const std::string& value);
  // "--set=name=value"
  void add_setting(const std::string& name, const std::string& value);
  void add_argument(const std::string& text);
};

// Adds how to connect: variables that name Secrets, and certificates. Error: Configuration when a value could only be copied.
[[nodiscard]] Result<void> add_database(const DatabaseMigration& resource, JobPod& pod);
// Adds where the revision files are: ConfigMaps, an image or a path.
[[nodiscard]] Result<void> add_source(const DatabaseMigration& resource, const JobFiles& files, JobPod& pod);
// Adds what policy.lint asks of a planning pod.
void add_lint(const DatabaseMigration& resource, JobPod& pod);
// Adds the settings of the run: schema, role, version table, time-outs.
void add_settings(const DatabaseMigration& resource, JobPod& pod);

}  // namespace athanor::controller
