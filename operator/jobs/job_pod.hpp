// What the pod of a Job gets to know about database and revisions: variables, volumes, mounts, arguments.
//
// No secret is ever copied: a variable names the Secret's key, and the kubelet fills it in. What could only be copied (a
// password spelled out in the resource, a file of the operator's own pod) is refused. Texts of the resource reach the pod as
// they are: Kubernetes' $(NAME) is not expanded in them.
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
  bool reads_keys = false;  // a client key, which its process must be able to read and nobody else

  void add_variable(const std::string& name, const std::string& value);
  // "--name=value"
  void add_flag(const std::string& name, const std::string& value);
  void add_setting(const std::string& name, const std::string& value);
  void add_argument(const std::string& text);
};

[[nodiscard]] Result<void> add_database(const DatabaseMigration& resource, JobPod& pod);
[[nodiscard]] Result<void> add_source(const DatabaseMigration& resource, const JobFiles& files, JobPod& pod);
// How the run behaves: schema, role, version table, waiting times.
void add_settings(const DatabaseMigration& resource, JobPod& pod);

}  // namespace athanor::controller
