#include "migrations/cli/program.hpp"

#include <algorithm>
#include <exception>

#include "migrations/cli/help.hpp"
#include "migrations/cli/report_file.hpp"

namespace athanor::cli {
namespace {

OutputStyle style_of(const Arguments& arguments, const ProcessEnvironment& outside) {
  OutputStyle style;
  style.json = arguments.has("--json");
  style.quiet = arguments.has("--quiet");
  style.verbose = arguments.has("--verbose");
  const auto no_color = outside.variable("NO_COLOR");
  const auto terminal = outside.variable("TERM");
  const bool color = !arguments.has("--no-color") && no_color.value_or("").empty() && terminal.value_or("") != "dumb";
  style.color = color && outside.out_is_terminal;
  style.error_color = color && outside.err_is_terminal;
  return style;
}

Result<void> dispatch(const Arguments& arguments, Output& output, const ProcessEnvironment& outside) {
  if (arguments.has("--version")) {
    output.set_message(std::string(version_line()));
    output.line(version_line());
    return {};
  }
  if (arguments.has("--help")) {
    const std::string text = arguments.command() == nullptr ? general_help() : command_help(*arguments.command());
    output.set_message(text);
    output.text(text);
    return {};
  }
  if (arguments.command() == nullptr) {
    output.text(general_help());  // users who type only the name do not know --help yet
    return fail(Error(ErrorCode::Usage, "no command given")
                    .advise("use one of the commands above; `athanor help COMMAND` shows its flags"));
  }
  CommandContext context(arguments, output, outside);
  return arguments.command()->run(context);
}

// Also catches exceptions that should have been handled further down, such as std::bad_alloc.
Result<void> dispatch_safely(const Arguments& arguments, Output& output, const ProcessEnvironment& outside) {
  try {
    return dispatch(arguments, output, outside);
  } catch (const std::exception& error) {
    return fail(ErrorCode::Internal, std::string("unexpected: ") + error.what());
  }
}

Result<void> dispatch_and_report(const std::string& path, const Arguments& arguments, Output& output,
                                 const ProcessEnvironment& outside) {
  TRY_ASSIGN(const ReportFile file, ReportFile::open(path));
  Result<void> result = dispatch_safely(arguments, output, outside);
  if (const auto written = file.write(output.report(result)); !written) {
    output.warn(written.error().describe());  // the run itself has finished: its exit code stays
  }
  return result;
}

}  // namespace

int run_program(std::span<const std::string_view> words, const ProcessEnvironment& outside, const TextSink& out,
                const TextSink& err) {
  Output output(out, err);
  const auto arguments = Arguments::parse(words);
  if (!arguments) {
    // The flags could not be parsed, but --json must still determine the output.
    output.set_style({.json = std::ranges::find(words, "--json") != words.end()});
    return output.finish(fail(arguments.error()));
  }
  output.set_style(style_of(*arguments, outside));
  try {
    const auto report = arguments->value("--report");
    return output.finish(report ? dispatch_and_report(*report, *arguments, output, outside)
                                : dispatch(*arguments, output, outside));
  } catch (const std::exception& error) {  // std::bad_alloc, and what should have been handled further down
    return output.finish(fail(ErrorCode::Internal, std::string("unexpected: ") + error.what()));
  }
}

}  // namespace athanor::cli
