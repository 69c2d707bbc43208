#include "operator/kube/rest_transport.hpp"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <fstream>
#include <sstream>
#include <tuple>
#include <utility>

#include "operator/kube/request_threads.hpp"
#include "operator/kube/rest_connection.hpp"

namespace athanor::controller {
namespace {

using Credentials = CredentialProvider::Credentials;
using web::http::http_request;

constexpr std::size_t kSlack = std::size_t{1} << 20U;  // heads, chunk sizes, TLS records
constexpr std::size_t kMaxStaleConnections = 64;
constexpr milliseconds kLongestPoll{60'000};
constexpr milliseconds kReleaseWait{10};

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// `server`: "the API server https://10.0.0.1:6443".
Error unreachable(const std::string& server, const std::string& reason) {
  return Error(ErrorCode::ApiUnreachable, server + " did not respond: " + reason);
}

std::string in_words(milliseconds duration) {
  return duration.count() % 1000 == 0 ? std::to_string(duration.count() / 1000) + " s"
                                      : std::to_string(duration.count()) + " ms";
}

// Splits a stream into lines and passes each complete one to the handler.
class LineSplitter {
 public:
  enum class Outcome : std::uint8_t { More, Enough, TooLong };
  LineSplitter(const HttpTransport::LineHandler* handler, std::size_t max_line) : handler_(handler), max_line_(max_line) {}

  [[nodiscard]] Outcome feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      if (rest_.size() + part.size() > max_line_) {
        return Outcome::TooLong;
      }
      if (end == std::string_view::npos) {
        rest_ += part;
        return Outcome::More;
      }
      bytes.remove_prefix(end + 1);
      if (!deliver(part)) {
        return Outcome::Enough;
      }
    }
    return Outcome::More;
  }

 private:
  [[nodiscard]] bool deliver(std::string_view part) {
    if (!rest_.empty()) {
      rest_ += part;
      part = rest_;
    }
    if (part.ends_with('\r')) {
      part.remove_suffix(1);
    }
    const bool more = part.empty() || (*handler_)(part);
    if (rest_.capacity() > kSlack) {
      rest_ = std::string();  // free the memory of an unusually long line
    }
    rest_.clear();
    return more;
  }

  const HttpTransport::LineHandler* handler_;  // null when the response is not streamed
  std::size_t max_line_;
  std::string rest_;
};

enum class WaitResult : std::uint8_t { Ready, Stopped, TimedOut };

WaitResult wait(const PendingRequest& pending, const StopToken& stop, Clock& clock, SteadyTime until) {
  while (true) {
    if (stop.requested()) {
      return WaitResult::Stopped;
    }
    const auto left = std::chrono::ceil<milliseconds>(until - clock.steady_now());
    pollfd descriptors[2] = {{pending.descriptor(), POLLIN, 0}, {stop.descriptor(), POLLIN, 0}};
    const auto pause = static_cast<int>(std::clamp(left, milliseconds(0), kLongestPoll).count());
    const int ready = ::poll(descriptors, 2, pause);
    if (ready > 0 && (descriptors[0].revents & POLLIN) != 0) {
      return stop.requested() ? WaitResult::Stopped : WaitResult::Ready;
    }
    if (ready == 0 && left.count() <= 0) {
      return WaitResult::TimedOut;
    }
  }
}

struct Attempt {
  Result<HttpResponse> answer;
  // Set when the server cannot have received the whole request, so it may be sent again.
  std::optional<RequestFailure::Kind> resendable{};
};

// Assembles one response from its progress and decides when it is complete or has failed.
class ResponseReader {
 public:
  ResponseReader(const std::string& server, const HttpRequest& request, const HttpTransport::LineHandler* lines,
                 SteadyTime deadline)
      : server_(server), request_(request), lines_(lines), splitter_(lines, request.max_line), until_(deadline) {}

  [[nodiscard]] SteadyTime until() const { return until_; }
  // Consumes `bytes`. Returns the outcome once there is one.
  [[nodiscard]] std::optional<Attempt> take(const PendingRequest::Progress& progress, const std::string& bytes, Clock& clock);
  [[nodiscard]] Attempt timed_out() const {
    return broken(streaming() ? "no data received for " + in_words(request_.idle)
                              : "no complete response within " + in_words(request_.deadline));
  }

 private:
  [[nodiscard]] bool streaming() const { return lines_ != nullptr && answer_.status / 100 == 2; }
  [[nodiscard]] Attempt broken(const std::string& reason) const { return {fail(unreachable(server_, reason))}; }
  // See is_too_large().
  [[nodiscard]] Attempt too_large(const std::string& reason) const {
    return {fail(Error(ErrorCode::ApiUnreachable, server_ + " sent too much: " + reason).with_retry(RetryClass::Terminal))};
  }
  [[nodiscard]] Attempt failed(const RequestFailure& failure) const;

  const std::string& server_;
  const HttpRequest& request_;
  const HttpTransport::LineHandler* lines_;  // null: collect the whole body
  LineSplitter splitter_;
  SteadyTime until_;
  HttpResponse answer_;
};

std::optional<Attempt> ResponseReader::take(const PendingRequest::Progress& progress, const std::string& bytes, Clock& clock) {
  answer_.status = progress.status.value_or(0);
  answer_.retry_after = progress.retry_after;
  if (streaming()) {
    switch (splitter_.feed(bytes)) {
      case LineSplitter::Outcome::Enough:
        return Attempt{std::move(answer_)};
      case LineSplitter::Outcome::TooLong:
        return too_large("a line is longer than " + std::to_string(request_.max_line) + " bytes");
      case LineSplitter::Outcome::More:
        break;
    }
    until_ = clock.steady_now() + request_.idle;  // after the handler: its time must not count as the server's silence
  } else {
    answer_.body += bytes;
  }
  if (answer_.body.size() > request_.max_body || progress.overrun) {
    return too_large("the response is larger than " + std::to_string(request_.max_body) + " bytes");
  }
  if (progress.failure) {
    return failed(*progress.failure);
  }
  if (!progress.ended) {
    return std::nullopt;
  }
  return answer_.status < 200 ? broken("the response is not HTTP") : Attempt{std::move(answer_)};
}

Attempt ResponseReader::failed(const RequestFailure& failure) const {
  Attempt attempt = broken(failure.reason);
  if (failure.kind == RequestFailure::Kind::Stale || failure.kind == RequestFailure::Kind::NotSent) {
    attempt.resendable = failure.kind;
  } else if (failure.kind == RequestFailure::Kind::Unanswered) {
    attempt.answer.error().hint = "the request may or may not have been carried out";
  }
  return attempt;
}

class RestTransport final : public HttpTransport {
 public:
  RestTransport(ClusterAccess access, Server server, CredentialProvider& credentials, Clock& clock)
      : access_(std::move(access)), server_(std::move(server)), credentials_(credentials), clock_(clock) {
    name_ = (server_.tls ? "https://" : "http://") + server_.authority();
    described_ = access_.called + " " + name_;
  }

  Result<HttpResponse> send(const HttpRequest& request, const StopToken& stop) override {
    return send_authenticated(request, nullptr, stop);
  }
  Result<HttpResponse> stream(const HttpRequest& request, const LineHandler& on_line, const StopToken& stop) override {
    return send_authenticated(request, &on_line, stop);
  }
  [[nodiscard]] std::string server() const override { return name_; }
  // Creates the first pool, so that unusable certificates are found at startup.
  [[nodiscard]] Result<void> prepare(const StopToken& stop) {
    TRY_ASSIGN(const auto credentials, credentials_.current(stop, SteadyTime::max()));
    TRY(pool_for(credentials));
    return {};
  }

 private:
  using FileStamp = std::tuple<dev_t, ino_t, off_t, time_t, long>;

  Result<HttpResponse> send_authenticated(const HttpRequest& request, const LineHandler* lines, const StopToken& stop);
  Result<HttpResponse> send_with_credentials(const HttpRequest& request, const Credentials& credentials,
                                             const LineHandler* lines, const StopToken& stop, SteadyTime deadline);
  Attempt attempt(const HttpRequest& request, const Credentials& credentials, const std::shared_ptr<ConnectionPool>& pool,
                  bool fresh, const LineHandler* lines, const StopToken& stop, SteadyTime deadline);
  Result<http_request> message_for(const HttpRequest& request, const Credentials& credentials) const;
  Result<std::shared_ptr<ConnectionPool>> pool_for(const Credentials& credentials);
  [[nodiscard]] FileStamp authority_stamp() const;
  Result<std::string> authorities() const;

  const ClusterAccess access_;
  const Server server_;
  CredentialProvider& credentials_;
  Clock& clock_;
  std::string name_;
  std::string described_;  // for messages
  std::mutex mutex_;
  std::shared_ptr<ConnectionPool> pool_;
  std::uint64_t version_ = 0;
  FileStamp stamp_{};
};

RestTransport::FileStamp RestTransport::authority_stamp() const {
  struct stat file {};
  if (access_.ca_file.empty() || ::stat(access_.ca_file.c_str(), &file) != 0) {
    return {};
  }
  return {file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

Result<std::string> RestTransport::authorities() const {
  if (access_.ca_file.empty()) {
    return access_.ca_pem;
  }
  std::ifstream file(access_.ca_file, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) {
    return fail(Error(ErrorCode::Io, "the cluster's certificate authority cannot be read").at(access_.ca_file));
  }
  return text.str();
}

// A pool belongs to one client certificate and one set of authorities. When either changes, a new pool replaces it; requests in
// progress keep their connections.
Result<std::shared_ptr<ConnectionPool>> RestTransport::pool_for(const Credentials& credentials) {
  const FileStamp stamp = authority_stamp();
  const std::lock_guard lock(mutex_);
  if (pool_ && version_ == credentials.version && stamp == stamp_) {
    return pool_;
  }
  std::shared_ptr<const TlsIdentity> identity;
  if (server_.tls) {
    auto pem = authorities();
    if (!pem && pool_ && version_ == credentials.version) {
      return pool_;  // the CA file is probably being replaced; the authorities already loaded are still valid
    }
    TRY(pem);
    TlsSettings settings;
    settings.server_name = access_.tls_server_name.empty() ? server_.host : access_.tls_server_name;
    settings.skip_verify = access_.skip_tls_verify;
    settings.ca_pem = *pem;
    settings.certificate_pem = credentials.client_certificate_pem;
    settings.key_pem = credentials.client_key_pem;
    auto made = TlsIdentity::make(settings);
    if (!made && pool_) {
      return pool_;  // certificate and key were read halfway through a replacement; the next request tries again
    }
    TRY_ASSIGN(identity, std::move(made));
  }
  pool_ = std::make_shared<ConnectionPool>(server_, identity);
  version_ = credentials.version;
  stamp_ = stamp;
  return pool_;
}

Result<http_request> RestTransport::message_for(const HttpRequest& request, const Credentials& credentials) const {
  try {
    http_request message(request.method);
    message.set_request_uri(web::uri(request.path));
    auto& headers = message.headers();
    headers.add("User-Agent", "athanor-operator/" ATHANOR_VERSION);
    headers.add("Accept", request.accept);
    headers.add("Host", server_.authority());
    if (!credentials.authorization.empty()) {
      headers.add("Authorization", credentials.authorization);
    }
    if (!access_.impersonate.empty()) {
      headers.add("Impersonate-User", access_.impersonate);
    }
    if (!access_.impersonate_uid.empty()) {
      headers.add("Impersonate-Uid", access_.impersonate_uid);
    }
    if (!access_.impersonate_groups.empty()) {
      // cpprest joins repeated headers with a comma, which the server would read as one group. It does not check values, so the
      // header lines are joined here; make_rest_transport() has checked that no group contains a line end.
      std::string groups;
      for (const std::string& group : access_.impersonate_groups) {
        groups += groups.empty() ? group : "\r\nImpersonate-Group:" + group;
      }
      headers.add("Impersonate-Group", groups);
    }
    if (!request.body.empty()) {
      message.set_body(request.body, request.content_type);
    }
    return message;
  } catch (const std::exception&) {
    return fail(Error(ErrorCode::Internal, "a request's path is not escaped"));
  }
}

Result<HttpResponse> RestTransport::send_authenticated(const HttpRequest& request, const LineHandler* lines,
                                                       const StopToken& stop) {
  const SteadyTime deadline = clock_.steady_now() + request.deadline;
  TRY_ASSIGN(const auto credentials, credentials_.current(stop, deadline));
  TRY_ASSIGN(auto answer, send_with_credentials(request, credentials, lines, stop, deadline));
  if (answer.status != 401) {
    return answer;
  }
  // After a 401 any request may be repeated, because nothing was carried out; but only different credentials can help.
  credentials_.refused();
  TRY_ASSIGN(const auto renewed, credentials_.current(stop, deadline));
  if (renewed.authorization == credentials.authorization && renewed.version == credentials.version) {
    return answer;
  }
  return send_with_credentials(request, renewed, lines, stop, deadline);
}

// Resends over another connection when the server certainly did not receive the whole request: the idle connection was closed
// before anything was sent, or it broke while the request was being written. cpprest itself also repeats a GET when a
// connection ends before the first byte of a response. Any other failure is reported, because the request may have been carried
// out.
Result<HttpResponse> RestTransport::send_with_credentials(const HttpRequest& request, const Credentials& credentials,
                                                          const LineHandler* lines, const StopToken& stop,
                                                          SteadyTime deadline) {
  if (has_control_characters(credentials.authorization)) {
    return fail(Error(ErrorCode::ApiUnauthorized,
                      "the credentials for " + access_.called + " contain characters that are not allowed in a header"));
  }
  TRY_ASSIGN(const auto pool, pool_for(credentials));
  // Every idle connection may be stale, for example after the API server restarted: try them one after another, then a new one.
  // A request that broke while being written is sent once more, over a new connection.
  bool written_twice = false;
  for (std::size_t stale = 0;; ++stale) {
    Attempt outcome =
        attempt(request, credentials, pool, written_twice || stale >= kMaxStaleConnections, lines, stop, deadline);
    if (!outcome.resendable || (*outcome.resendable == RequestFailure::Kind::NotSent && written_twice)) {
      return std::move(outcome.answer);
    }
    written_twice = written_twice || *outcome.resendable == RequestFailure::Kind::NotSent;
  }
}

Attempt RestTransport::attempt(const HttpRequest& request, const Credentials& credentials,
                               const std::shared_ptr<ConnectionPool>& pool, bool fresh, const LineHandler* lines,
                               const StopToken& stop, SteadyTime deadline) {
  if (stop.requested()) {
    return {fail(Error(ErrorCode::Interrupted, "stopped before the request was sent"))};
  }
  const bool repeatable = request.method == "GET" || request.method == "HEAD";
  const auto pending =
      std::make_shared<PendingRequest>(repeatable, (lines != nullptr ? request.max_line : request.max_body) + kSlack);
  // On every path that leaves before the end of the response, the connection must not be reused.
  struct AbandonUnlessReusable {
    PendingRequest& pending;
    ~AbandonUnlessReusable() {
      if (!pending.reusable()) {
        pending.abandon();
      }
    }
  } guard{*pending};
  try {
    // Copies of a cpprest request share their contents. A copy kept beyond this block would keep the response stream alive, and
    // with it the connection out of the pool.
    auto message = message_for(request, credentials);
    if (!message) {
      return {fail(std::move(message).error())};
    }
    pool->send(*message, pending, fresh);
  } catch (const std::exception&) {
    return {fail(unreachable(described_, "the request could not be started"))};
  }
  ResponseReader reader(described_, request, lines, deadline);
  std::string bytes;
  while (true) {
    const WaitResult waited = wait(*pending, stop, clock_, reader.until());
    if (waited == WaitResult::Stopped) {
      return {fail(Error(ErrorCode::Interrupted, "stopped while waiting for " + access_.called))};
    }
    if (waited == WaitResult::TimedOut) {
      return reader.timed_out();
    }
    const PendingRequest::Progress progress = pending->receive(bytes);
    if (auto outcome = reader.take(progress, bytes, clock_)) {
      if (outcome->answer && progress.ended) {
        // Wait the few microseconds until the connection is back in the pool, so that the next request can reuse it.
        for (auto latest = progress;
             !latest.released && wait(*pending, {}, clock_, clock_.steady_now() + kReleaseWait) == WaitResult::Ready;) {
          latest = pending->receive(bytes);
        }
      }
      return std::move(*outcome);
    }
  }
}

}  // namespace

Result<std::unique_ptr<HttpTransport>> make_rest_transport(const ClusterAccess& access, CredentialProvider& credentials,
                                                           Clock& clock, const StopToken& stop) {
  TRY_ASSIGN(auto server, Server::parse(access.server));
  std::vector<std::string> headers = access.impersonate_groups;
  headers.insert(headers.end(), {access.impersonate, access.impersonate_uid});
  if (std::any_of(headers.begin(), headers.end(), has_control_characters)) {
    return fail(Error(ErrorCode::Configuration,
                      "the impersonated user, uid or group contains characters that are not allowed in a header"));
  }
  start_request_threads();
  auto transport = std::make_unique<RestTransport>(access, std::move(server), credentials, clock);
  TRY(transport->prepare(stop));
  return transport;
}

}  // namespace athanor::controller
