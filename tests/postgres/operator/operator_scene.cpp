#include "tests/postgres/operator/operator_scene.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace athanor::test {
namespace {

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = local(0);
  socklen_t length = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("no free port");
  }
  ::close(listener);
  return ntohs(address.sin_port);
}

// Asks every 20 ms for at most 20 s.
template <class Condition>
bool eventually(Condition condition) {
  for (int round = 0; round < 1'000; ++round) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string manifest_text(const std::string& name, const std::string& url, const std::string& more) {
  return "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata:\n  name: " + name +
         "\n  namespace: shop\nspec:\n  database:\n    url: " + url + "\n  source:\n    path: rev\n" + more;
}

}  // namespace

OperatorScene::OperatorScene() {
  std::filesystem::create_directories(folder / "manifests/rev");
}

void OperatorScene::revision(const std::string& id, const std::string& down, const std::string& upgrade,
                             const std::string& downgrade) {
  folder.write("manifests/rev/" + id + ".sql",
               "-- Revision " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + down + "\n\n-- athanor:upgrade\n" +
                   (upgrade.empty() ? "CREATE TABLE t_" + id + " (id int PRIMARY KEY);" : upgrade) +
                   "\n\n-- athanor:downgrade\n" + (downgrade.empty() ? "DROP TABLE t_" + id + ";" : downgrade) + "\n");
}

void OperatorScene::forget_revision(const std::string& id) const {
  std::filesystem::remove(folder.string() + "/manifests/rev/" + id + ".sql");
}

void OperatorScene::manifest(const std::string& name, const std::string& url, const std::string& more) {
  folder.write("manifests/" + name + ".yaml", manifest_text(name, url, more));
}

void OperatorScene::manifest_by_rename(const std::string& name, const std::string& url, const std::string& more) {
  folder.write("manifests/." + name + ".new", manifest_text(name, url, more));
  std::filesystem::rename(folder / ("manifests/." + name + ".new"), folder / ("manifests/" + name + ".yaml"));
}

std::vector<std::string> OperatorScene::arguments(const std::vector<std::string>& more) const {
  std::vector<std::string> all{operator_binary(), "--manifests", folder / "manifests", "--state", folder / "state"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

ProcessResult OperatorScene::once(const std::vector<std::string>& more, const ProcessOptions& options) {
  std::vector<std::string> all = arguments(more);
  all.emplace_back("--once");
  return run_process(all, options);
}

void OperatorScene::start(const std::vector<std::string>& more, const ProcessOptions& options) {
  port_ = free_port();
  std::vector<std::string> all = arguments(more);
  all.emplace_back("--listen");
  all.push_back("127.0.0.1:" + std::to_string(port_));
  process_ = std::make_unique<Process>(all, options);
  if (!process_->wait_for_output("operator started")) {
    throw std::runtime_error("the operator did not start: " + process_->err());
  }
}

ProcessResult OperatorScene::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

std::string OperatorScene::status(const std::string& name) const {
  const std::string path = folder / ("state/shop." + name + ".status.yaml");
  return std::filesystem::exists(path) ? read_file(path) : std::string();
}

bool OperatorScene::wait_for_status(const std::string& name, const std::vector<std::string>& parts) const {
  return eventually([&] {
    const std::string text = status(name);
    for (const auto& part : parts) {
      if (text.find(part) == std::string::npos) {
        return false;
      }
    }
    return !text.empty();
  });
}

bool OperatorScene::wait_until_at(const std::string& name, const std::string& revision) const {
  return wait_for_status(name, {"phase: Ready", "currentRevisions:\n    - " + revision + "\n"});
}

std::string OperatorScene::raw(const std::string& request) const {
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = local(port_);
  std::string answer;
  if (::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(client, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    std::array<char, 4'096> buffer{};
    for (ssize_t count = 1; count > 0;) {
      count = ::recv(client, buffer.data(), buffer.size(), 0);
      answer.append(buffer.data(), static_cast<std::size_t>(count > 0 ? count : 0));
    }
  }
  ::close(client);
  return answer;
}

std::string OperatorScene::get(const std::string& path, int* code) const {
  const std::string answer = raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  if (code != nullptr) {
    *code = answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }
  const auto body = answer.find("\r\n\r\n");
  return body == std::string::npos ? std::string() : answer.substr(body + 4);
}

}  // namespace athanor::test
