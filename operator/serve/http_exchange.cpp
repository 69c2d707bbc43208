#include "operator/serve/http_exchange.hpp"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <exception>

#include "migrations/text/letter_case.hpp"

namespace athanor::controller {
namespace {

// A stream in memory: neither reading nor writing blocks.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(std::string_view input) : input_(input) {}
  bool is_readable() const override { return !input_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* buffer, std::size_t size) override {
    const std::size_t count = input_.copy(buffer, size);
    input_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    written.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& address, int& port) const override { unknown(address, port); }
  void get_local_ip_and_port(std::string& address, int& port) const override { unknown(address, port); }
  // The library rejects descriptors that select() cannot handle. This stream has none, and 0 passes the check.
  socket_t socket() const override { return 0; }

  std::string written;

 private:
  static void unknown(std::string& address, int& port) {
    address.clear();
    port = 0;
  }
  std::string_view input_;
};

// The library's server without its sockets and threads.
class Exchange final : public httplib::Server {
 public:
  explicit Exchange(const ServerRoute& route) {
    set_pre_routing_handler([this, &route](const httplib::Request& request, httplib::Response& response) {
      serve(route, request, response);
      return HandlerResponse::Handled;
    });
  }

  std::optional<std::string> answer(std::string_view head) {
    MemoryStream stream(head);
    bool closed = true;
    process_request(stream, true, closed, nullptr);
    return later_ ? std::nullopt : std::optional(std::move(stream.written));
  }

 private:
  void serve(const ServerRoute& route, const httplib::Request& request, httplib::Response& response) {
    ServerRequest server_request{request.path, request.get_header_value("Authorization"), false};
    server_request.has_body = request.has_header("Transfer-Encoding") ||
                              (request.has_header("Content-Length") && request.get_header_value("Content-Length") != "0");
    const auto reply = route(server_request);
    later_ = !reply;
    if (!reply) {
      return;
    }
    response.status = reply->status;
    response.set_header("Content-Type", reply->type);
    if (!reply->challenge.empty()) {
      response.set_header("WWW-Authenticate", reply->challenge);
    }
    if (reply->page) {
      response.set_header("Content-Length", std::to_string(reply->page->size()));
    } else {
      response.body = reply->body;
    }
  }

  bool later_ = false;
};

// The headers that we use. The parser sees no others: a Range header would make it run regular expressions and copy the body
// once per range.
constexpr std::array<std::string_view, 3> kHeaders{"authorization:", "content-length:", "transfer-encoding:"};

bool is_used(std::string_view line) {
  return std::ranges::any_of(kHeaders, [line](std::string_view name) {
    return line.size() >= name.size() && std::ranges::equal(name, line.substr(0, name.size()), [](char wanted, char given) {
             return wanted == lower_ascii(given);
           });
  });
}

// Returns the request line and the headers that we use. Empty when a line does not end with CRLF, because the library would
// skip such a line.
std::string used_part(std::string_view head) {
  std::string used;
  for (std::size_t begin = 0; begin < head.size();) {
    const std::size_t end = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, end - begin);
    if (end == std::string_view::npos || line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      return {};
    }
    if (begin == 0 || is_used(line)) {
      used.append(line).append("\r\n");
    }
    begin = end + 2;
  }
  return used + "\r\n";
}

std::string_view reason_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

}  // namespace

std::optional<std::string> answer_request(std::string_view head, const ServerRoute& route) {
  if (!head.starts_with("GET ")) {
    return refusal(405, "only GET is served");
  }
  try {
    auto answer = Exchange(route).answer(used_part(head));
    return answer && answer->empty() ? refusal(400, "not an HTTP request") : answer;
  } catch (const std::exception&) {  // for example a number in a header that is out of range
    return refusal(400, "not an HTTP request");
  }
}

std::string refusal(int status, std::string_view text) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status)) + "\r\n";
  answer += "Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n";
  answer += status == 405 ? "Allow: GET\r\n" : "";
  answer += "Content-Length: " + std::to_string(text.size() + 1) + "\r\n\r\n";
  return answer.append(text).append("\n");
}

}  // namespace athanor::controller
