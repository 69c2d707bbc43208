// The pod template of a resource, laid over the pod that the operator would make by itself.
//
// What the template says wins. Objects are joined member by member; containers by name, member by member; volumes, variables
// and mounts by name, each whole; any other list, and resources, are taken whole from whoever names them, the template first. A
// container that brings a command or arguments of its own gets neither of ours.
//
// Nothing here refuses a template: what has the wrong shape stays as it is, and the API server says what is wrong with it.
//
// Threads: pure function.
#pragma once

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

[[nodiscard]] KubeObject lay_over(KubeObject pod_template, const KubeObject& pod);

}  // namespace athanor::controller
