// Passes a connection's bytes to libpq in portions.
//
// libpq buffers a message as fast as the server sends it, whatever its announced size: one call of PQconsumeInput was seen to
// take 700 MB. libpq offers no way to query that size or to stop. So, once connected, a socket pair replaces the connection's
// descriptor, and this class moves what the server sends to libpq, at most 32 KiB per turn, and counts it. The caller can stop
// before the next turn. TLS, which libpq still handles, passes through unchanged.
//
// From then on no call of libpq may block on the connection (PQexec and the like): nothing would move its bytes.
//
// Threads: one thread. Ownership: borrows the connection during construction; must be destroyed after PQfinish, so that libpq's
// Terminate message is still passed on.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor::postgres {

class MeteredSocket {
 public:
  // Null when no file descriptor is available.
  [[nodiscard]] static std::unique_ptr<MeteredSocket> take_over(PGconn* connection);
  ~MeteredSocket();
  MeteredSocket(const MeteredSocket&) = delete;
  MeteredSocket& operator=(const MeteredSocket&) = delete;

  // Waits at most `timeout` until bytes can be moved, and moves one portion in each direction. True when libpq has something to
  // read: bytes, or the end of the connection.
  [[nodiscard]] bool turn(milliseconds timeout);
  // Whether bytes that libpq has written are not passed on yet.
  [[nodiscard]] bool has_unsent() const;
  // Bytes passed to libpq so far.
  [[nodiscard]] std::size_t received() const { return received_; }
  // Closes the connection in both directions immediately, without waiting for either side.
  void cut();

 private:
  // Bytes in transit: those from `begin` to `end` are still to be written.
  struct Portion {
    std::vector<char> bytes;
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] bool empty() const { return begin == end; }
  };
  MeteredSocket(UniqueFd server, UniqueFd libpq);
  // From the server to libpq. True when libpq has something to read.
  [[nodiscard]] bool move_inward();
  // From libpq to the server, as far as the server accepts it.
  void move_outward();
  // Tells libpq that nothing more comes.
  void end_inward();

  UniqueFd server_;
  UniqueFd libpq_;  // our end of the pair
  Portion inward_;
  Portion outward_;
  std::size_t received_ = 0;
  bool server_ended_ = false;  // it sends nothing more
  bool server_deaf_ = false;   // it accepts nothing more
  bool end_passed_ = false;    // libpq was told that nothing more comes
};

}  // namespace athanor::postgres
