#include "operator/serve/listener.hpp"

#include <utility>  // before cpprest: Boost 1.74 leaves it out

#include <cpprest/http_listener.h>
#include <pplx/threadpool.h>

#include <charconv>
#include <chrono>

namespace athanor::controller {
namespace {

using web::http::http_request;
using web::http::http_response;
using web::http::status_code;
using web::http::status_codes;
using web::http::experimental::listener::http_listener;
using web::http::experimental::listener::http_listener_config;

constexpr std::size_t kPoolThreads = 2;
constexpr std::chrono::seconds kRequestTimeout(10);

void answer(const http_request& request, status_code code, const std::string& body,
            const std::string& type = "text/plain; charset=utf-8", bool keep = true) {
  http_response response(code);
  response.set_body(body, type);
  if (code == status_codes::MethodNotAllowed) {
    response.headers().add("Allow", "GET");
  }
  if (!keep) {
    response.headers().add("Connection", "close");
  }
  // The client may be gone: its reset is no news of ours.
  request.reply(response).then([](const pplx::task<void>& sent) {
    try {
      sent.get();
    } catch (const std::exception&) {
    }
  });
}

bool has_body(const http_request& request) {
  const auto& headers = request.headers();
  return headers.content_length() > 0 || headers.has("Transfer-Encoding");
}

void serve(const http_request& request, const ListenerHandlers& handlers) {
  if (request.method() != web::http::methods::GET) {
    return answer(request, status_codes::MethodNotAllowed, "only GET is served\n", "text/plain", false);
  }
  if (has_body(request)) {
    return answer(request, status_codes::RequestEntityTooLarge, "no body is accepted\n", "text/plain", false);
  }
  const std::string path = request.relative_uri().path();
  if (path == "/metrics") {
    return answer(request, status_codes::OK, handlers.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  }
  if (path == "/healthz" || path == "/readyz") {
    const bool good = path == "/healthz" ? handlers.healthy() : handlers.ready();
    return answer(request, good ? status_codes::OK : status_codes::ServiceUnavailable, good ? "ok\n" : "not ready\n");
  }
  answer(request, status_codes::NotFound, "not found\n", "text/plain", false);
}

}  // namespace

struct Listener::Impl {
  Impl(const std::string& uri, const http_listener_config& configuration, ListenerHandlers given)
      : listener(web::uri(uri), configuration), handlers(std::move(given)) {}
  http_listener listener;
  ListenerHandlers handlers;
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() {
  try {
    impl_->listener.close().wait();
  } catch (const std::exception&) {  // closing what is broken already
  }
}

Result<void> check_listen_address(const std::string& address) {
  const auto colon = address.rfind(':');
  int port = 0;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    const char* end = address.data() + address.size();
    const auto [stopped, error] = std::from_chars(address.data() + colon + 1, end, port);
    good = error == std::errc() && stopped == end && port >= 1 && port <= 65'535;
  }
  if (!good || address.find('/') != std::string::npos || address.find('[') != std::string::npos) {
    return fail(Error(ErrorCode::Usage, "'" + address + "' is not an address to listen on")
                    .advise("write ADDRESS:PORT, for example 127.0.0.1:8080, or off"));
  }
  return {};
}

Result<std::unique_ptr<Listener>> Listener::open(const std::string& address, ListenerHandlers handlers) {
  TRY(check_listen_address(address));
  try {
    try {
      crossplat::threadpool::initialize_with_threads(kPoolThreads);  // 40 by default
    } catch (const std::exception&) {                                // there is one already, and it will do
    }
    http_listener_config configuration;
    configuration.set_timeout(utility::seconds(kRequestTimeout.count()));
    auto impl = std::make_unique<Impl>("http://" + address + "/", configuration, std::move(handlers));
    Impl* raw = impl.get();
    const auto handle = [raw](const http_request& request) {
      try {
        serve(request, raw->handlers);
      } catch (const std::exception&) {  // a boundary: the pool's thread must live on
        answer(request, status_codes::InternalError, "internal error\n", "text/plain", false);
      }
    };
    impl->listener.support(handle);
    impl->listener.open().get();
    return std::unique_ptr<Listener>(new Listener(std::move(impl)));
  } catch (const std::exception&) {
    return fail(Error(ErrorCode::Io, "cannot listen on " + address)
                    .advise("is the port taken? choose another with --listen ADDRESS:PORT, or --listen off"));
  }
}

}  // namespace athanor::controller
