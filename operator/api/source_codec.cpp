#include <algorithm>
#include <array>

#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxConfigMaps = 16;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Rejects names that git would read as an option, a path or a range.
bool is_git_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._/+-").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 255 && name.front() != '-' && name.front() != '.' && name.front() != '/' &&
         std::ranges::all_of(name, allowed) && name.find("..") == std::string_view::npos && !name.ends_with('/') &&
         !name.ends_with(".lock");
}

// Reads the path of a folder inside a repository, artifact or image: relative, without leaving it.
void read_inner_path(YamlFields& fields, std::string& path) {
  read_text(fields, "path", path);
  if (path.starts_with('/') || path == ".." || path.starts_with("../") || path.ends_with("/..") ||
      path.find("/../") != std::string::npos) {
    fields.refuse("path", "must be a relative path without `..`", "write the path from the root of the repository or artifact");
  }
}

void check_git_url(YamlFields& fields, const std::string& url) {
  const bool https = url.starts_with("https://");
  const bool ssh = url.starts_with("ssh://");
  if (!https && !ssh) {
    fields.refuse("url", "must begin with https:// or ssh://", "write git@host:path as ssh://git@host/path");
    return;
  }
  const std::size_t begin = url.find("://") + 3;
  const std::string authority = url.substr(begin, std::min(url.find('/', begin), url.size()) - begin);
  const std::size_t at = authority.rfind('@');
  if (at != std::string::npos && (https || authority.find(':') < at)) {
    fields.refuse("url", "must not contain credentials", "put them in a Secret and name it in secretRef");
  }
  const std::string host = at == std::string::npos ? authority : authority.substr(at + 1);
  if (host.empty() || host.front() == '-' || authority.starts_with('-') ||
      url.find_first_of(" \t\r\n\\") != std::string::npos) {
    fields.refuse("url", "is not a valid repository URL");
  }
}

void read_git(YamlFields& fields, GitSource& git) {
  fields.required_text("url", git.url);
  read_text(fields, "commit", git.commit);
  read_text(fields, "tag", git.tag);
  read_text(fields, "branch", git.branch);
  read_inner_path(fields, git.path);
  constexpr milliseconds kLeastInterval{10'000};
  read_duration(fields, "interval", git.interval, kLeastInterval);
  fields.mapping("secretRef", [&git](YamlFields& secret) {
    secret.required_text("name", git.secret_name);
    if (!git.secret_name.empty() && !is_resource_name(git.secret_name)) {
      secret.refuse("name", "is not a valid Secret name");
    }
  });
  if (!git.url.empty()) {
    check_git_url(fields, git.url);
  }
  if (int{!git.commit.empty()} + int{!git.tag.empty()} + int{!git.branch.empty()} != 1) {
    fields.refuse("commit", "exactly one of commit, tag and branch must be set");
  }
  if (!git.commit.empty() && (!is_hex(git.commit) || (git.commit.size() != 40 && git.commit.size() != 64))) {
    fields.refuse("commit", "is not a full commit id", "write all 40 (or 64) hexadecimal digits, or name a tag");
  }
  for (const auto* const key : {"tag", "branch"}) {
    const std::string& name = std::string_view(key) == "tag" ? git.tag : git.branch;
    if (!name.empty() && !is_git_name(name)) {
      fields.refuse(key, "is not a valid Git ref name");
    }
  }
}

void read_config_maps(YamlFields& fields, std::vector<std::string>& names) {
  fields.mappings("configMaps", [&names](YamlFields& item) {
    std::string name;
    item.required_text("name", name);
    if (!name.empty() && !is_resource_name(name)) {
      item.refuse("name", "is not a valid ConfigMap name");
    }
    if (std::ranges::find(names, name) != names.end()) {
      item.refuse("name", "is listed twice");
    }
    names.push_back(std::move(name));
  });
  if (names.size() > kMaxConfigMaps) {
    fields.refuse("configMaps", "lists more than " + std::to_string(kMaxConfigMaps) + " ConfigMaps");
  }
}

void read_flux(YamlFields& fields, FluxSource& flux) {
  fields.choice("kind", flux.kind, {"GitRepository", "OCIRepository", "Bucket"});
  if (flux.kind.empty()) {
    fields.refuse("kind", "is required");
  }
  fields.required_text("name", flux.name);
  read_inner_path(fields, flux.path);
}

void read_image(YamlFields& fields, ImageSource& image) {
  fields.required_text("reference", image.reference);
  fields.required_text("path", image.path);
}

// Reads spec.source.revision: a commit, a digest, or the revision of a Flux artifact ("main@sha1:…").
void read_pin(YamlFields& fields, SourceSpec& source) {
  constexpr std::size_t kLongest = 512;
  read_text(fields, "revision", source.revision);
  if (source.revision.empty()) {
    return;
  }
  const auto plain = [](char c) { return c > 0x20 && c < 0x7f; };
  if (source.revision.size() > kLongest || !std::ranges::all_of(source.revision, plain)) {
    fields.refuse("revision", "is neither a commit nor a digest");
  }
  if (!source.path.empty() || source.image) {
    fields.refuse("revision", "needs configMaps, git or fluxRef",
                  source.image ? "name the image by its digest" : "a folder has no revision to compare with");
  }
  if (source.git && !source.git->commit.empty() && source.git->commit != source.revision) {
    fields.refuse("revision", "differs from git.commit", "remove one of them");
  }
}

void check_source_way(YamlFields& fields, const SourceSpec& source) {
  constexpr std::array kWays{"path", "configMaps", "git", "fluxRef", "image"};
  const auto count = std::ranges::count_if(kWays, [&fields](const char* way) { return fields.has(way); });
  if (count == 0) {
    fields.refuse("path", "no source is specified", "set exactly one of path, configMaps, git, fluxRef and image");
  } else if (count > 1) {
    const auto* const first = *std::ranges::find_if(kWays, [&fields](const char* way) { return fields.has(way); });
    fields.refuse(first, "only one of path, configMaps, git, fluxRef and image may be set");
  }
  if (source.recursive && fields.has("configMaps")) {
    fields.refuse("recursive", "a ConfigMap has no folders");
  }
}

}  // namespace

void read_source(YamlFields& fields, SourceSpec& source, OperatorMode operator_mode) {
  if (operator_mode == OperatorMode::Standalone) {
    refuse_fields(fields, {"configMaps", "fluxRef", "image"}, "needs a cluster");
    refuse_fields(fields, {"git"}, "needs a cluster; check out the repository and set path to its folder");
  }
  read_text(fields, "path", source.path);
  read_config_maps(fields, source.config_maps);
  if (fields.has("git")) {
    fields.mapping("git", [&source](YamlFields& git) { read_git(git, source.git.emplace()); });
  }
  if (fields.has("fluxRef")) {
    fields.mapping("fluxRef", [&source](YamlFields& flux) { read_flux(flux, source.flux.emplace()); });
  }
  if (fields.has("image")) {
    fields.mapping("image", [&source](YamlFields& image) { read_image(image, source.image.emplace()); });
  }
  read_pin(fields, source);
  fields.flag("recursive", source.recursive);
  std::string format;
  fields.choice("format", format, {"auto"});
  check_source_way(fields, source);
}

}  // namespace athanor::controller
