#include "operator/cluster_wait.hpp"

#include <cstdio>

#include "operator/cluster/resource_wait.hpp"
#include "operator/cluster_startup.hpp"
#include "operator/kube/rest_transport.hpp"
#include "operator/process_environment.hpp"

namespace athanor::controller {

Result<int> wait_on_cluster(const Options& options, const StopToken& stop) {
  TRY_ASSIGN(const auto access, find_cluster(options));
  SystemClock clock;
  const auto identity = make_credentials(access, clock, environment_variable);
  TRY_ASSIGN(const auto transport, make_rest_transport(access, *identity, clock, stop));
  RestClientOptions one_check;
  one_check.deadline = std::chrono::seconds(5);
  const auto client = make_rest_client(*transport, clock, one_check, stop);
  ResourceWait wait;
  wait.key = ResourceKey::parse(options.wait_for);
  wait.timeout = options.wait_timeout;
  TRY_ASSIGN(
      const std::string ready,
      wait_for_resource(
          *client, clock, wait, [](const std::string& text) { (void)std::fprintf(stderr, "%s\n", text.c_str()); }, stop));
  (void)std::fprintf(stderr, "%s\n", ready.c_str());
  return 0;
}

}  // namespace athanor::controller
