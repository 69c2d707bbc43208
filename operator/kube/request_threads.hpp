// The few threads in which cpprest carries out the requests of this process. Nothing of ours ever blocks in them.
//
// They live until the process ends. A request that was given up may still be on its way out in one of them then, so they have
// to end before OpenSSL takes itself down, which both leave to the exit handlers.
#pragma once

namespace athanor::controller {

// To be called before anything uses cpprest or OpenSSL; from the second call on it does nothing. Safe from any thread.
void start_request_threads();

}  // namespace athanor::controller
