// An HTTP transport for tests. It returns prepared answers in order and records the requests.
//
// Threads: one thread. Ownership: owns the answers and the records.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "operator/kube/transport.hpp"

namespace athanor::test {

class FakeTransport final : public controller::HttpTransport {
 public:
  using Request = controller::HttpRequest;
  using Response = controller::HttpResponse;

  void answer(int status, std::string body = "{}", std::optional<milliseconds> retry_after = {}) {
    answers_.push_back({Response{status, std::move(body), retry_after}, {}});
  }
  void answer(Error error) { answers_.push_back({fail(std::move(error)), {}}); }
  // Answers a streaming request with these lines, then with `end`.
  void answer_lines(std::vector<std::string> lines, Result<Response> end = Response{200, "", {}}) {
    answers_.push_back({std::move(end), std::move(lines)});
  }

  Result<Response> send(const Request& request, const StopToken&) override { return next(request).response; }
  Result<Response> stream(const Request& request, const LineHandler& on_line, const StopToken&) override {
    const Answer answer = next(request);
    for (const std::string& line : answer.lines) {
      if (!on_line(line)) {
        return fail(ErrorCode::Interrupted, "the stream was ended by its reader");
      }
      ++lines_told;
    }
    return answer.response;
  }
  std::string server() const override { return "https://fake"; }

  std::vector<Request> requests;
  std::size_t lines_told = 0;
  std::function<void(const Request&)> on_request;

 private:
  struct Answer {
    Result<Response> response;
    std::vector<std::string> lines;
  };
  Answer next(const Request& request) {
    requests.push_back(request);
    if (on_request) {
      on_request(request);
    }
    if (answers_.empty()) {
      return {fail(ErrorCode::Internal, "the test prepared no answer to " + request.method + " " + request.path), {}};
    }
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }
  std::deque<Answer> answers_;
};

}  // namespace athanor::test
