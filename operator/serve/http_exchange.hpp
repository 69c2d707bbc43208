// Parses the complete head of one HTTP request and produces the response.
//
// cpp-httplib parses the request's head and writes the response's; no other file includes it. It sees only what http_server.hpp
// let through: a complete GET of bounded size without a body. Every response closes the connection.
//
// Threads: pure functions, safe from any thread. Ownership: plain values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace athanor::controller {

// What a route sees of a request.
struct ServerRequest {
  std::string path;           // decoded, without the query
  std::string authorization;  // the header's value; empty without one
  bool has_body = false;      // announced by Content-Length or Transfer-Encoding
};

// What a route answers.
struct ServerReply {
  int status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
  std::string challenge{};                       // WWW-Authenticate
  std::shared_ptr<const std::string> page = {};  // instead of `body`; shared by all clients that receive it
};

// Returns the reply to a request; nullopt when it comes later.
using ServerRoute = std::function<std::optional<ServerReply>(const ServerRequest& request)>;

// Returns the response's head, with the body unless that is a page. Every line of `head` ends with CRLF. The response is 400
// when `head` is not a valid request. nullopt when the route has no reply yet.
[[nodiscard]] std::optional<std::string> answer_request(std::string_view head, const ServerRoute& route);

// Returns a complete response with a status of 4xx or 503, for requests that are not parsed.
[[nodiscard]] std::string refusal(int status, std::string_view text);

}  // namespace athanor::controller
