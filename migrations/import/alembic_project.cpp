#include "migrations/import/alembic_project.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "migrations/base/process.hpp"
#include "migrations/base/program_path.hpp"
#include "migrations/import/alembic_render.hpp"  // generated from alembic_*.py

namespace athanor {
namespace {

namespace fs = std::filesystem;
using Document = nlohmann::json;

constexpr int kAncestors = 4;  // how many parent folders of the scripts are searched for a configuration
constexpr milliseconds kLongestRendering = std::chrono::hours(1);
constexpr std::string_view kPythonHint =
    "give the Python that has the project's Alembic (--python .venv/bin/python), or activate its virtual environment";

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool has_tool_section(const fs::path& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("[tool.alembic]")) {
      return true;
    }
  }
  return false;
}

// alembic.ini, or pyproject.toml with Alembic's section. If both exist, the .ini wins, as in Alembic.
std::string configuration_in(const fs::path& folder) {
  if (is_file(folder / "alembic.ini")) {
    return (folder / "alembic.ini").string();
  }
  if (has_tool_section(folder / "pyproject.toml")) {
    return (folder / "pyproject.toml").string();
  }
  return {};
}

std::string configuration_above(fs::path folder) {
  for (int level = 0; level < kAncestors && folder.has_parent_path() && folder != folder.parent_path(); ++level) {
    folder = folder.parent_path();
    if (std::string found = configuration_in(folder); !found.empty()) {
      return found;
    }
  }
  return {};
}

Result<void> find_configuration(const AlembicOptions& options, AlembicProject& project) {
  std::error_code failed;
  fs::path folder = fs::canonical(options.folder, failed);
  if (failed || !fs::is_directory(folder)) {
    return fail(Error(ErrorCode::Io, "there is no folder " + options.folder)
                    .advise("give Alembic's script folder (the one with env.py), or the folder with alembic.ini"));
  }
  if (!is_file(folder / "env.py") && is_file(folder.parent_path() / "env.py")) {
    folder = folder.parent_path();  // the user named the versions folder
  }
  const bool scripts = is_file(folder / "env.py");
  if (!options.config.empty()) {
    project.config = fs::absolute(options.config).string();
    if (!is_file(project.config)) {
      return fail(Error(ErrorCode::Io, "there is no file " + options.config)
                      .advise("--alembic-config takes an alembic.ini or a pyproject.toml"));
    }
  } else {
    project.config = configuration_in(folder);
    if (project.config.empty() && scripts) {
      project.config = configuration_above(folder);
    }
  }
  if (scripts) {
    project.scripts = folder.string();
  }
  if (project.config.empty() && !scripts) {
    return fail(Error(ErrorCode::Io, options.folder + " contains neither env.py nor alembic.ini")
                    .advise("give Alembic's script folder, or the configuration with --alembic-config"));
  }
  project.working_folder =
      project.config.empty() ? folder.parent_path().string() : fs::path(project.config).parent_path().string();
  return {};
}

// Flask-Migrate's env.py works only inside an application, which the `flask` command creates first.
void find_flask(const AlembicOptions& options, const VariableReader& variable, AlembicProject& project) {
  if (!options.flask.empty()) {
    project.flask = options.flask;
  } else if (!project.scripts.empty()) {
    std::ifstream file(fs::path(project.scripts) / "env.py");
    for (std::string line; std::getline(file, line);) {
      if (line.find("current_app") != std::string::npos) {
        project.flask = variable("FLASK_APP").value_or(".");
        break;
      }
    }
  }
  if (!project.flask.empty() && !project.scripts.empty()) {
    project.working_folder = fs::path(project.scripts).parent_path().string();
  }
}

// The interpreter in the first lines of a script. For a long path, installers write a shell line `'''exec' PATH …`.
std::string interpreter_of(const std::string& script) {
  std::ifstream file(script);
  std::string first;
  std::string second;
  std::getline(file, first);
  std::getline(file, second);
  constexpr std::string_view kExec = "'''exec' ";
  const auto word = [](std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
      return std::string();
    }
    const bool quoted = text[begin] == '"';
    const std::size_t from = begin + (quoted ? 1 : 0);
    return std::string(text.substr(from, text.find_first_of(quoted ? "\"" : " \t\r", from) - from));
  };
  if (second.starts_with(kExec)) {
    return word(std::string_view(second).substr(kExec.size()));
  }
  if (!first.starts_with("#!")) {
    return {};
  }
  const std::string program = word(std::string_view(first).substr(2));
  const bool by_env = fs::path(program).filename() == "env";
  return by_env ? word(std::string_view(first).substr(first.find(program) + program.size())) : program;
}

Result<std::string> find_python(const AlembicOptions& options, const VariableReader& variable) {
  if (!options.python.empty()) {
    // Keep the path as given: a virtual environment is recognised by its link to the interpreter.
    const bool by_name = options.python.find('/') == std::string::npos;
    return by_name ? options.python : fs::absolute(options.python).lexically_normal().string();
  }
  if (const auto environment = variable("VIRTUAL_ENV"); environment && is_program(*environment + "/bin/python")) {
    return (fs::path(*environment) / "bin/python").string();
  }
  const std::string alembic = find_program("alembic", variable("PATH").value_or(""));
  if (std::string python = alembic.empty() ? std::string() : interpreter_of(alembic); !python.empty()) {
    return python;
  }
  return fail(Error(ErrorCode::Usage, "no Python with Alembic was found: no VIRTUAL_ENV, and no `alembic` on PATH")
                  .advise(std::string(kPythonHint)));
}

RenderFault fault_from(const Document& json) {
  return {json.at("type").get<std::string>(), json.at("message").get<std::string>(), json.at("line").get<int>()};
}

RenderedDirection direction_from(const Document& json) {
  RenderedDirection direction;
  if (json.contains("error")) {
    direction.fault = fault_from(json.at("error"));
    return direction;
  }
  direction.remarks = json.at("remarks").get<std::vector<std::string>>();
  direction.recorded = json.value("recorded", false);
  direction.varies = json.value("varies", false);
  for (const Document& part : json.at("parts")) {
    const auto kind = part.at("kind").get<std::string>();
    direction.parts.push_back({kind == "commit"  ? RenderedPart::Kind::Commit
                               : kind == "begin" ? RenderedPart::Kind::Begin
                               : kind == "next"  ? RenderedPart::Kind::Next
                                                 : RenderedPart::Kind::Sql,
                               part.value("text", std::string()), part.value("indent", std::size_t{0})});
  }
  return direction;
}

RenderedProject project_from(const Document& json) {
  const auto texts = [](const Document& list) { return list.get<std::vector<std::string>>(); };
  RenderedProject project;
  project.alembic_version = json.at("alembic").get<std::string>();
  project.script_folder = json.at("script_folder").get<std::string>();
  project.version_locations = texts(json.at("version_locations"));
  const Document& context = json.at("context");
  project.version_table = context.at("version_table").get<std::string>();
  if (const Document& schema = context.at("version_table_schema"); schema.is_string()) {
    project.version_table_schema = schema.get<std::string>();
  }
  project.version_callbacks = context.at("on_version_apply").get<std::size_t>();
  project.heads = texts(json.at("heads"));
  project.bases = texts(json.at("bases"));
  project.warnings = texts(json.at("warnings"));
  for (const Document& one : json.at("revisions")) {
    RenderedRevision& revision = project.revisions.emplace_back();
    revision.id = one.at("id").get<std::string>();
    revision.file = one.at("file").get<std::string>();
    revision.down = texts(one.at("down"));
    revision.depends_on = texts(one.at("depends_on"));
    revision.labels = texts(one.at("labels"));
    revision.description = texts(one.at("description"));
    revision.created = one.at("created").get<std::string>();
    revision.upgrade = direction_from(one.at("upgrade"));
    revision.downgrade = direction_from(one.at("downgrade"));
  }
  return project;
}

// The error that Python reported before it reached any revision, with a hint where the cause is known.
Error environment_error(const Document& json, const AlembicProject& project) {
  const auto type = json.at("type").get<std::string>();
  const auto message = json.at("message").get<std::string>();
  const auto file = json.at("file").get<std::string>();
  Error error(ErrorCode::NotRenderable,
              (project.against.empty() ? "Alembic cannot run this project offline: " : "Alembic cannot run this project: ") +
                  type + (message.empty() ? "" : ": " + message));
  if (!file.empty()) {
    error.context = file + ":" + std::to_string(json.at("line").get<int>());
  }
  if (type == "ModuleNotFoundError" && message.find("'alembic'") != std::string::npos) {
    error.message = project.python + " has no Alembic";
    error.context.clear();
    error.hint = kPythonHint;
  } else if (type == "ModuleNotFoundError") {
    error.hint = "use the Python that has the project's packages (--python), in the folder where `alembic` works";
  } else if (type == "NotEmpty") {
    error.message = message;
    error.hint = "use a newly created database: Alembic runs every revision there";
  } else if (type == "NoVersionSchema") {
    error.message = message;
    error.hint = "create the schema there first: env.py or your deployment does it for other databases";
  } else if (message.find("application context") != std::string::npos || type == "NoAppException") {
    error.hint = "env.py needs its Flask application: name it with --flask, as `flask --app`";
  } else if (type == "KeyError" || message.find("URL") != std::string::npos) {
    error.hint =
        "set the variables that env.py reads, for example DATABASE_URL=postgresql://localhost/any; Athanor does not connect to "
        "it";
  } else if (!project.against.empty()) {
    error.hint =
        "`alembic upgrade heads` must work in " + project.working_folder + ", on an empty database, before the import can";
  } else {
    error.hint = "`alembic upgrade heads --sql` must work in " + project.working_folder + " before the import can";
  }
  return error;
}

// The program for Python: a table of the modules, and the code that makes them importable.
std::string program() {
  Document modules = Document::array();
  for (const auto& [name, text] : kAlembicPython) {
    modules.push_back({name, text});
  }
  const std::string start = modules.back().at(1).get<std::string>();
  modules.erase(modules.size() - 1);
  // JSON that contains only ASCII lists and strings is also valid Python.
  return "SOURCES = " + modules.dump(-1, ' ', true) + "\n" + start;
}

std::vector<std::string> arguments_of(const AlembicProject& project) {
  std::vector<std::string> arguments{project.python, "-", "--section=" + project.section};
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) {
      arguments.push_back(name + "=" + value);
    }
  };
  add("--config", project.config);
  add("--scripts", project.scripts);
  add("--flask", project.flask);
  add("--server-version", project.server_version);
  std::error_code ignored;
  add("--caller", fs::current_path(ignored).string());
  for (const std::string& argument : project.x_arguments) {
    arguments.push_back("-x" + argument);
  }
  return arguments;
}

// PYTHONHASHSEED makes sets iterate in the same order, so that the same project yields the same files. The URL contains a
// password, so it must not be an argument.
std::vector<std::string> environment_of(const AlembicProject& project) {
  std::vector<std::pair<std::string, std::string>> additions{{"PYTHONHASHSEED", "0"}};
  if (!project.against.empty()) {
    additions.emplace_back("ATHANOR_AGAINST", project.against);
  }
  return inherited_environment(additions);
}

}  // namespace

Result<AlembicProject> locate_alembic_project(const AlembicOptions& options, const VariableReader& variable) {
  AlembicProject project;
  project.section = options.section;
  project.x_arguments = options.x_arguments;
  project.server_version = options.server_version;
  project.against = options.against;
  TRY(find_configuration(options, project));
  find_flask(options, variable, project);
  TRY_ASSIGN(project.python, find_python(options, variable));
  return project;
}

Result<RenderedProject> render_alembic_project(const AlembicProject& project) {
  ProcessCommand command;
  command.arguments = arguments_of(project);
  command.environment = environment_of(project);
  command.folder = project.working_folder;
  command.own_group = false;  // Ctrl-C ends it together with us
  std::string output;
  ProcessStreams streams;
  const std::string text = program();
  streams.in = read_from(text);
  streams.out = keep_all(output, kMostAnswer, Error(ErrorCode::NotRenderable, "the revisions render to more than 256 MiB"));
  command.timeout = kLongestRendering;
  auto end = run_process(command, streams, {});
  if (!end) {
    return fail(output.empty() ? std::move(end).error().advise(std::string(kPythonHint)) : std::move(end).error());
  }
  if (end->timed_out) {
    return fail(Error(ErrorCode::NotRenderable, project.python + " did not finish rendering within an hour")
                    .advise("look for a revision or an env.py that waits for a server or for input"));
  }
  const Document document = Document::parse(output, nullptr, false);
  if (!document.is_object()) {
    return fail(Error(ErrorCode::NotRenderable,
                      project.python + " ended with exit code " + std::to_string(end->exit_code) + " and without output")
                    .advise("check that it is Python 3.7 or newer, and that `alembic heads` works with it"));
  }
  try {
    if (document.contains("error")) {
      return fail(environment_error(document.at("error"), project));
    }
    return project_from(document);
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorCode::Internal, "unexpected output of alembic_render.py");
  }
}

}  // namespace athanor
