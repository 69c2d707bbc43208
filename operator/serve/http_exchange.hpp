// One HTTP exchange: the head of a request that was received whole, and the answer to it.
//
// cpp-httplib parses the head and writes that of the answer; no other file includes it. It sees only what http_server.hpp let
// through: a GET of bounded size, complete, with nothing behind it. The answer always ends the connection.
//
// Threads: pure functions, safe from any thread. Ownership: plain values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace athanor::controller {

struct ServerRequest {
  std::string path;           // decoded, without the query
  std::string authorization;  // the header's value; empty without one
  bool has_body = false;      // one was announced
};

struct ServerReply {
  int status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
  std::string challenge{};                       // WWW-Authenticate
  std::shared_ptr<const std::string> page = {};  // in place of `body`; shared by everybody it is sent to
};

// The reply to a request; empty: it comes later.
using ServerRoute = std::function<std::optional<ServerReply>(const ServerRequest& request)>;

// The head of the answer, with the body unless that is a page. 400 when `head`, which ends with an empty line, is no request.
// Empty when the route has no reply yet.
[[nodiscard]] std::optional<std::string> answer_request(std::string_view head, const ServerRoute& route);

// An answer to something that is not worth parsing.
[[nodiscard]] std::string refusal(int status, std::string_view text);

}  // namespace athanor::controller
