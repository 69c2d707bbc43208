// The output of a command: results on standard output, remarks and errors on standard error. With --json, exactly one object on
// standard output in every case.
//
//   {"success": …, "message": …, "current_revision": […], …the command's own fields…, "warnings": […], "error": null|{…}}
//
// `current_revision` contains the rows of the version table after the command, or those a plan starts from; it is empty if the
// command uses no database. It is null if they are unknown, because the database could not be queried, or was lost before it
// reported the end of a run.
//
// Threads: one thread. Ownership: borrows the sinks' targets.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/text/printable.hpp"

namespace athanor::cli {

using Json = nlohmann::ordered_json;
using TextSink = std::function<void(std::string_view)>;

// The length to which Kubernetes truncates a termination message.
inline constexpr std::size_t kMaxReportBytes = 4'096;

struct OutputStyle {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool color = false;        // color in results
  bool error_color = false;  // color in remarks and errors
};

class Output {
 public:
  Output(TextSink out, TextSink err) : out_(std::move(out)), err_(std::move(err)) {}

  void set_style(const OutputStyle& style) { style_ = style; }
  [[nodiscard]] const OutputStyle& style() const { return style_; }
  [[nodiscard]] bool json() const { return style_.json; }

  // Prints a line of the result; nothing with --json.
  void line(std::string_view text);
  // Prints a result unchanged (SQL, a drawing, JSON lines); nothing with --json.
  void text(std::string_view text);
  // Prints a remark; nothing with --json or -q.
  void note(std::string_view text);
  // Prints a warning, and adds it to the JSON object.
  void warn(std::string text);
  // Writes directly to standard error; for progress.
  void progress(std::string_view text) { err_(text); }

  // The message in the JSON object. It is also printed if a command has no other result.
  void set_message(std::string message) { message_ = std::move(message); }
  void set_current(const std::vector<std::string>& current_heads) { current_ = current_heads; }
  // Before a database is queried, and when it is lost: the heads are unknown until set_current().
  void forget_current() { current_.reset(); }
  // The command's own JSON fields, in the order in which they are set.
  [[nodiscard]] Json& fields() { return fields_; }

  // The result of the run as JSON in one line of at most kMaxReportBytes: message, rows, the run and the plan, the failed
  // statement, the error with its retry class. Long texts are cut. Call it before finish().
  [[nodiscard]] std::string report(const Result<void>& result) const;

  // Prints the remaining output and returns the exit code.
  [[nodiscard]] int finish(const Result<void>& result);

 private:
  void flush();
  void print_error(const Error& error);
  [[nodiscard]] Json short_report(const Result<void>& result, std::size_t longest) const;
  [[nodiscard]] std::string document(const Result<void>& result);

  TextSink out_;
  TextSink err_;
  OutputStyle style_;
  std::string buffer_;
  std::string message_;
  std::optional<std::vector<std::string>> current_{std::in_place};  // empty optional: unknown
  std::vector<std::string> warnings_;
  Json fields_ = Json::object();
};

// The error as in --json.
[[nodiscard]] Json error_json(const Error& error);

// "a, b", without line ends; "<base>" if there are none.
[[nodiscard]] std::string join_revisions(const std::vector<std::string>& revisions);

}  // namespace athanor::cli
