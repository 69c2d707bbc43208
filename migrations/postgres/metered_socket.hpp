// A connection's bytes, handed to libpq in portions.
//
// libpq reads a message into memory as fast as the server sends it, however large the server says it is: one call of
// PQconsumeInput has been seen to take 700 MB. It cannot be asked how much it holds, nor to stop. So a pair of sockets takes
// the place of its descriptor once the connection is made, and what the server sends is moved to libpq by us, 32 KiB a turn
// and counted: whoever takes the turns can stop before the next one. TLS, which libpq keeps doing, passes through.
//
// From then on no call of libpq may block on the connection (PQexec and its like): nobody would move its bytes.
//
// Threads: one thread. Ownership: borrows the connection while constructing; must be destroyed after PQfinish, so that
// libpq's good-bye is still passed on.
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
  // Null when the process has no descriptors left.
  [[nodiscard]] static std::unique_ptr<MeteredSocket> take_over(PGconn* connection);
  ~MeteredSocket();
  MeteredSocket(const MeteredSocket&) = delete;
  MeteredSocket& operator=(const MeteredSocket&) = delete;

  // Waits for at most `timeout` until bytes can be moved, and moves one portion each way. True when libpq has something to
  // read: bytes, or the end of the connection.
  [[nodiscard]] bool turn(milliseconds timeout);
  // Bytes of libpq's that were not passed on yet, as far as it has handed them over.
  [[nodiscard]] bool has_unsent() const;
  // Bytes passed to libpq so far.
  [[nodiscard]] std::size_t received() const { return received_; }
  // Ends the connection in both directions at once, without waiting for anybody.
  void cut();

 private:
  // Bytes on their way: those from `begin` on are still to be written.
  struct Portion {
    std::vector<char> bytes;
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] bool empty() const { return begin == end; }
  };
  MeteredSocket(UniqueFd server, UniqueFd libpq);
  [[nodiscard]] bool move_inward();
  void move_outward();
  void end_inward();

  UniqueFd server_;
  UniqueFd libpq_;  // our end of the pair
  Portion inward_;
  Portion outward_;
  std::size_t received_ = 0;
  bool server_ended_ = false;  // nothing more comes from it
  bool server_deaf_ = false;   // nothing more can be sent to it
  bool told_end_ = false;      // libpq was told that nothing more comes
};

}  // namespace athanor::postgres
