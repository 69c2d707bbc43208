#include "tests/support/cutting_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <list>
#include <stdexcept>

namespace athanor::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool write_all(int descriptor, const char* data, std::size_t size) {
  while (size > 0) {
    const auto written = ::send(descriptor, data, size, MSG_NOSIGNAL);
    if (written <= 0) {
      return false;
    }
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(int port) : target_(port), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

CuttingProxy::~CuttingProxy() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void CuttingProxy::cut_after(const std::string& marker, bool deliver, std::chrono::milliseconds linger) {
  marker_ = marker;
  linger_ = linger;
  deliver_ = deliver;
  cut_ = false;
  armed_ = true;
}

void CuttingProxy::serve() {
  std::list<std::thread> lines;
  while (!stop_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) > 0) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) {
        lines.emplace_back([this, client] { forward(client); });
      }
    }
  }
  for (auto& line : lines) {
    line.join();
  }
}

void CuttingProxy::drain(int server) const {
  const auto until = std::chrono::steady_clock::now() + linger_;
  std::array<char, 65536> buffer{};
  while (!stop_ && std::chrono::steady_clock::now() < until) {
    pollfd waiting{server, POLLIN, 0};
    if (::poll(&waiting, 1, 20) > 0 && ::recv(server, buffer.data(), buffer.size(), 0) <= 0) {
      return;
    }
  }
}

void CuttingProxy::forward(int client) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(target_);
  bool open = ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  std::array<char, 65536> buffer{};
  while (open && !stop_) {
    std::array<pollfd, 2> both{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    ::poll(both.data(), both.size(), 20);
    for (std::size_t i = 0; i < both.size() && open; ++i) {
      if (both[i].revents == 0) {
        continue;
      }
      const auto size = ::recv(both[i].fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) {
        open = false;
        break;
      }
      const std::string_view data(buffer.data(), static_cast<std::size_t>(size));
      const bool cut = i == 0 && armed_ && data.find(marker_) != std::string_view::npos;
      if (!cut || deliver_) {
        open = write_all(i == 0 ? server : client, data.data(), data.size());
      }
      if (cut) {
        armed_ = false;
        // Close the client's side first, so that no answer can reach it. A zero linger time sends a reset instead of an orderly
        // end.
        const linger hard{1, 0};
        ::setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        ::close(client);
        client = -1;
        cut_ = true;
        open = false;
      }
    }
  }
  if (client >= 0) {
    ::close(client);
  } else if (deliver_) {
    drain(server);
  }
  ::close(server);
}

}  // namespace athanor::test
