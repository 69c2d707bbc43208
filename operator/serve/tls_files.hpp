// The certificate the listener shows, from files that are replaced while it runs.
//
// A Secret that is mounted as a volume changes under the operator when it is rotated. The files are looked at again before a
// connection is accepted, at most once a second; a pair that cannot be used leaves the one before in place.
//
// Threads: one thread calls. Ownership: owns the context; connections keep the one they began with.
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
  // PEM: the certificate with its chain, and its key. Configuration when they cannot be used.
  [[nodiscard]] static Result<TlsFiles> open(std::string certificate, std::string key, Clock& clock);

  // Reads the files again if they changed. An error is told once for each change.
  [[nodiscard]] Result<void> refresh();
  // Of the newest pair that could be used.
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
  SteadyTime looked_{};
};

}  // namespace athanor::controller
