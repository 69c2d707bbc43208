#include "migrations/models/model_reader.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "migrations/base/process.hpp"
#include "migrations/base/program_path.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/models/carried_package.hpp"  // generated from athanor_models/*.py
#include "migrations/text/foreign_message.hpp"

namespace athanor {
namespace {

namespace fs = std::filesystem;
using Document = nlohmann::json;

constexpr milliseconds kLongestImport = std::chrono::minutes(10);
constexpr std::string_view kPythonHint =
    "give the Python of the project (--python .venv/bin/python), or activate its virtual environment";

std::string program_text() {
  Document modules = Document::object();
  for (const auto& [name, text] : kModelsPackage) {
    modules[std::string(name)] = text;
  }
  // JSON that contains only ASCII objects and strings is also valid Python.
  return "SOURCES = " + modules.dump(-1, ' ', true) + "\n" + std::string(kModelsStart);
}

std::vector<std::string> arguments_of(const ModelSettings& settings) {
  std::vector<std::string> arguments{settings.python, "-", "--json"};
  if (settings.server_major > 0) {
    arguments.push_back("--server-version=" + std::to_string(settings.server_major));
  }
  for (const std::string& folder : settings.sys_path) {
    arguments.push_back("--sys-path=" + folder);
  }
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), settings.targets.begin(), settings.targets.end());
  return arguments;
}

// Digests of the contents of a file, a folder or a variable, to detect changes.
std::string digest_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return file ? sha256_hex(text) : std::string();
}

// Libraries change only when they are installed again, and are too many to read: size and times must suffice.
std::string stamp_of_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return {};
  }
  return std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

// Includes the list of modules, because an existing module may import a new one.
std::string digest_of_folder(const std::string& path) {
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator entry(path, problem), end; !problem && entry != end; entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".py") || (name != "__pycache__" && entry->is_directory(problem))) {
      names.push_back(name);
    }
  }
  std::ranges::sort(names);
  Sha256 digest;
  for (const std::string& name : names) {
    digest.update(name + "\n");
  }
  return digest.finish();
}

std::string digest_of_variable(const std::string& name, const std::vector<std::string>& environment) {
  const std::string prefix = name + "=";
  const auto found =
      std::ranges::find_if(environment, [&](const std::string& variable) { return variable.starts_with(prefix); });
  return found == environment.end() ? std::string() : sha256_hex(std::string_view(*found).substr(prefix.size()));
}

Document inputs_of(const Document& answer, const std::string& python) {
  Document inputs = {{"own", Document::object()},
                     {"libraries", Document::object()},
                     {"folders", Document::object()},
                     {"variables", answer.at("variables")}};
  const auto add = [&](const char* kind, const auto& ask) {
    for (const std::string& path : answer.at(kind).get<std::vector<std::string>>()) {
      inputs[kind][path] = ask(path);
    }
  };
  add("own", digest_of_file);
  add("libraries", stamp_of_file);
  add("folders", digest_of_folder);
  inputs["libraries"][python] = stamp_of_file(python);
  return inputs;
}

bool holds(const Document& inputs, const std::vector<std::string>& environment) {
  const auto same = [](const Document& table, const auto& ask) {
    return std::ranges::all_of(table.items(), [&](const auto& entry) { return ask(entry.key()) == entry.value(); });
  };
  return same(inputs.at("libraries"), stamp_of_file) && same(inputs.at("own"), digest_of_file) &&
         same(inputs.at("folders"), digest_of_folder) &&
         std::ranges::all_of(inputs.at("variables"), [&](const Document& variable) {
           return digest_of_variable(variable.at(0).template get<std::string>(), environment) ==
                  variable.at(1).template get<std::string>();
         });
}

Error fault_of(const Document& json) {
  return Error(ErrorCode::DesiredSchemaFailed, fit_for_message(json.at("message").get<std::string>()))
      .at(json.at("place").get<std::string>())
      .advise(json.at("hint").get<std::string>());
}

}  // namespace

Result<std::string> find_python(const PythonSearch& search) {
  for (const std::string& named : {search.flag, search.configured}) {
    if (!named.empty()) {
      // Keep the path as given: a virtual environment is recognised by its link to the interpreter.
      const bool by_name = named.find('/') == std::string::npos;
      return by_name ? named : fs::absolute(named).lexically_normal().string();
    }
  }
  for (const fs::path& environment : {fs::path(search.virtual_environment), fs::path(search.folder) / ".venv"}) {
    if (!environment.empty() && is_program((environment / "bin/python").string())) {
      return fs::absolute(environment / "bin/python").lexically_normal().string();
    }
  }
  for (const char* name : {"python3", "python"}) {
    if (std::string found = find_program(name, search.path); !found.empty()) {
      return found;
    }
  }
  return fail(
      Error(ErrorCode::DesiredSchemaFailed, "no Python was found to read the models with").advise(std::string(kPythonHint)));
}

Result<ModelSchema> read_models(const ModelSettings& settings, const StopToken& stop) {
  ProcessCommand command;
  command.arguments = arguments_of(settings);
  command.environment = settings.environment;
  std::erase_if(command.environment, [](const std::string& variable) { return variable.starts_with("PYTHONHASHSEED="); });
  command.environment.emplace_back("PYTHONHASHSEED=0");  // sets iterate in the same order every time
  command.folder = settings.folder;
  command.cannot_start = ErrorCode::DesiredSchemaFailed;
  std::string output;
  ProcessStreams streams;
  const std::string text = program_text();
  streams.in = read_from(text);
  streams.out =
      keep_all(output, kMostAnswer, Error(ErrorCode::DesiredSchemaFailed, "the models make more than 256 MiB of SQL"));
  command.timeout = kLongestImport;
  auto end = run_process(command, streams, stop);
  if (!end) {
    return fail(output.empty() ? std::move(end).error().advise(std::string(kPythonHint)) : std::move(end).error());
  }
  if (end->timed_out) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, settings.python + " did not finish reading the models within 10 minutes")
                    .advise("look for a module that waits for a server or for input when it is imported"));
  }
  const Document answer = Document::parse(output, nullptr, false);
  if (!answer.is_object()) {
    return fail(Error(ErrorCode::DesiredSchemaFailed,
                      settings.python + " ended with exit code " + std::to_string(end->exit_code) + " and without output")
                    .advise("check that it is Python 3.7 or newer, and that it can import the models"));
  }
  try {
    if (answer.contains("error")) {
      return fail(fault_of(answer.at("error")));
    }
    ModelSchema schema;
    schema.statements = answer.at("statements").get<std::vector<std::string>>();
    schema.tables = answer.at("tables").get<std::size_t>();
    schema.inputs = inputs_of(answer, settings.python).dump();
    return schema;
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorCode::Internal, "unexpected output of athanor_models");
  }
}

std::string keep_model_schema(const ModelSchema& schema) {
  return Document{{"statements", schema.statements}, {"tables", schema.tables}, {"inputs", Document::parse(schema.inputs)}}
      .dump();
}

std::optional<ModelSchema> unchanged_model_schema(const std::string& text, const std::vector<std::string>& environment) {
  const Document kept = Document::parse(text, nullptr, false);
  if (!kept.is_object()) {
    return std::nullopt;
  }
  try {
    if (!holds(kept.at("inputs"), environment)) {
      return std::nullopt;
    }
    return ModelSchema{kept.at("statements").get<std::vector<std::string>>(), kept.at("tables").get<std::size_t>(),
                       kept.at("inputs").dump()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace athanor
