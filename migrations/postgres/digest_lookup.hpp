// SHA-256 looked up once, not some ten thousand times for each connection.
//
// libpq proves a password (scram-sha-256) with 4,096 rounds of HMAC, and starts every round with EVP_sha256(). OpenSSL 3 looks
// that name up anew each time, under locks that all threads share: that was half of what a connection cost (docs/adr/0013). So
// this library brings a HMAC_Init_ex of its own, which libpq finds before OpenSSL's, and which calls that one with the same
// digest, looked up already: OpenSSL still does the arithmetic, from whichever provider its configuration names.
//
// Threads: safe from any thread. Ownership: the looked-up digest lives as long as the process.
#pragma once

#include <cstdint>

namespace athanor::postgres {

// Does nothing. Who refers to it makes the linker take the replacement along, which nothing else in our code refers to.
void keep_digest_at_hand();

// How many rounds were started with the digest at hand, in this process.
[[nodiscard]] std::uint64_t lookups_saved();

}  // namespace athanor::postgres
