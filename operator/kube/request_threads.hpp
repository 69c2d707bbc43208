// cpprest's thread pool. Our callbacks never block in it, so two threads serve all requests of the process.
#pragma once

namespace athanor::controller {

// Starts the threads. Call it before anything uses cpprest or OpenSSL: an abandoned request may still run at exit, so the exit
// handler that joins the threads must run before OpenSSL's. Later calls do nothing. Safe from any thread.
void start_request_threads();

}  // namespace athanor::controller
