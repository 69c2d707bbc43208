#include "operator/kube/request_threads.hpp"

#include <openssl/ssl.h>

#include <exception>
#include <utility>  // before cpprest: Boost 1.74 leaves it out

#include <pplx/threadpool.h>

namespace athanor::controller {
namespace {

constexpr std::size_t kThreads = 2;  // cpprest's default is 40

}  // namespace

void start_request_threads() {
  // Exit handlers run in reverse order of registration, so OpenSSL's must be registered before the one that joins the threads.
  OPENSSL_init_ssl(0, nullptr);
  try {
    crossplat::threadpool::initialize_with_threads(kThreads);
  } catch (const std::exception&) {  // already initialised
  }
}

}  // namespace athanor::controller
