#include "operator/kube/request_threads.hpp"

#include <openssl/ssl.h>

#include <exception>
#include <utility>  // before cpprest: Boost 1.74 leaves it out

#include <pplx/threadpool.h>

namespace athanor::controller {
namespace {

constexpr std::size_t kThreads = 2;  // 40 by default

}  // namespace

void start_request_threads() {
  // Exit handlers run in the reverse order of their registration: OpenSSL's has to be there before that which joins the
  // threads.
  OPENSSL_init_ssl(0, nullptr);
  try {
    crossplat::threadpool::initialize_with_threads(kThreads);
  } catch (const std::exception&) {  // they run already
  }
}

}  // namespace athanor::controller
