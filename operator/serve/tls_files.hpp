// The listener's certificate, reloaded when its files change.
//
// When a Secret is rotated, the files of its mounted volume change while the operator runs. The files are checked before a
// connection is accepted, at most once a second. When the new pair cannot be used, the previous one stays in use.
//
// Threads: one thread. Ownership: owns the context; a connection keeps the context it started with. Borrows the clock.
#pragma once

#include <openssl/ssl.h>
#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor::controller {

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)>;

class TlsFiles {
 public:
  // Loads the PEM files: the certificate with its chain, and its key. Error: Configuration when they cannot be used.
  [[nodiscard]] static Result<TlsFiles> open(std::string certificate, std::string key, Clock& clock);

  // Reloads the files if they changed. An error is returned once per change.
  [[nodiscard]] Result<void> refresh();
  // The context of the newest usable pair.
  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }

 private:
  struct Stamp {
    ino_t inode = 0;
    timespec changed{};
    bool operator==(const Stamp& other) const {
      return inode == other.inode && changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
    }
  };
  TlsFiles(std::string certificate, std::string key, Clock& clock)
      : certificate_(std::move(certificate)), key_(std::move(key)), clock_(&clock) {}
  [[nodiscard]] static Stamp stamp_of(const std::string& path);
  [[nodiscard]] Result<void> load();

  std::string certificate_;
  std::string key_;
  Clock* clock_;
  TlsContext context_{nullptr, &::SSL_CTX_free};
  Stamp of_certificate_;
  Stamp of_key_;
  SteadyTime checked_{};
};

}  // namespace athanor::controller
