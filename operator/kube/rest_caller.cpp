#include "operator/kube/rest_caller.hpp"

#include <utility>

#include "operator/kube/rest_transport.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{256} << 10U;

class BearerToken final : public CredentialProvider {
 public:
  explicit BearerToken(const std::string& bearer) {
    if (!bearer.empty()) {
      credentials_.authorization = "Bearer " + bearer;
    }
  }
  Result<Credentials> current(const StopToken& /*stop*/, SteadyTime /*deadline*/) override { return credentials_; }
  void refused() override {}  // another token needs another call

 private:
  Credentials credentials_;
};

class RestCaller final : public HttpsCaller {
 public:
  explicit RestCaller(Clock& clock) : clock_(clock) {}

  Result<HttpsAnswer> post(const HttpsCall& call, const StopToken& stop) override {
    if (!call.server.starts_with("https://")) {
      return fail(ErrorCode::Internal, "a token may only be sent over TLS");
    }
    ClusterAccess access;
    access.server = call.server;
    access.called = "the identity provider";
    BearerToken bearer(call.bearer);
    TRY_ASSIGN(const auto transport, make_rest_transport(access, bearer, clock_, stop));
    HttpRequest request;
    request.method = "POST";
    request.path = call.path;
    request.body = call.body;
    request.content_type = call.content_type;
    request.accept = "*/*";
    request.deadline = call.deadline;
    request.max_body = kMaxAnswer;
    TRY_ASSIGN(HttpResponse response, transport->send(request, stop));
    return HttpsAnswer{response.status, std::move(response.body)};
  }

 private:
  Clock& clock_;
};

}  // namespace

std::unique_ptr<HttpsCaller> make_rest_caller(Clock& clock) {
  return std::make_unique<RestCaller>(clock);
}

}  // namespace athanor::controller
