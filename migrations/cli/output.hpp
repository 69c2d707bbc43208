// What a command says: results on standard output, remarks and errors on standard error; with --json one object on standard
// output and nothing else there, whatever happens.
//
//   {"success": …, "message": …, "current_revision": […], …the command's own fields…, "warnings": […], "error": null|{…}}
//
// `current_revision` holds the rows of the version table after the command, or those a plan starts from; it is empty when the
// command asks no database. It is null when they are not known: the database could not be asked, or was lost before it said how
// a run ended.
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

// What Kubernetes keeps of a termination message.
inline constexpr std::size_t kMaxReportBytes = 4'096;

struct OutputStyle {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool color = false;        // of results
  bool error_color = false;  // of remarks and errors
};

class Output {
 public:
  Output(TextSink out, TextSink err) : out_(std::move(out)), err_(std::move(err)) {}

  void set_style(const OutputStyle& style) { style_ = style; }
  [[nodiscard]] const OutputStyle& style() const { return style_; }
  [[nodiscard]] bool json() const { return style_.json; }

  // A line of the result; nothing with --json.
  void line(std::string_view text);
  // The result as it is (SQL, a drawing, JSON lines); nothing with --json.
  void text(std::string_view text);
  // A remark for people: nothing with --json or -q.
  void note(std::string_view text);
  void warn(std::string text);
  // Straight to standard error; for progress.
  void progress(std::string_view text) { err_(text); }

  // For --json. The message is also what people read when a command has nothing else to say.
  void set_message(std::string message) { message_ = std::move(message); }
  void set_current(const std::vector<std::string>& current_heads) { current_ = current_heads; }
  // A database is being asked, or was lost: nothing is known until set_current().
  void forget_current() { current_.reset(); }
  // The command's own fields, in the order they are set.
  [[nodiscard]] Json& fields() { return fields_; }

  // The end of the run in one line of at most kMaxReportBytes: message, rows, the run and the plan, the failed statement, the
  // error with its retry class. Long texts are cut. Before finish().
  [[nodiscard]] std::string report(const Result<void>& result) const;

  // Prints what is left to say and returns the exit code.
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
  std::optional<std::vector<std::string>> current_{std::in_place};  // nothing: not known
  std::vector<std::string> warnings_;
  Json fields_ = Json::object();
};

// The error as --json shows it.
[[nodiscard]] Json error_json(const Error& error);

// "a, b", each as one line; "<base>" when there is none.
[[nodiscard]] std::string join_revisions(const std::vector<std::string>& revisions);

}  // namespace athanor::cli
