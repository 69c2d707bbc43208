// The settings of a migration session, whatever role and database set: those that change the meaning of our statements, of a
// revision's text or of a stored cursor, or that would end the session during a run. Connecting pins them, and so does a
// `--sql` script.
//
// Threads: constants.
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace athanor {

inline constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kSessionBaseline{{
    {"standard_conforming_strings", "on"},
    {"DateStyle", "ISO, MDY"},
    {"IntervalStyle", "postgres"},
    {"TimeZone", "UTC"},
    {"extra_float_digits", "1"},
    {"bytea_output", "hex"},
    {"row_security", "off"},  // raises an error instead of hiding rows of the version table
    {"synchronous_commit", "on"},
    {"default_transaction_read_only", "off"},
    {"default_transaction_deferrable", "off"},
    {"default_transaction_isolation", "read committed"},
    {"idle_in_transaction_session_timeout", "0"},
    {"client_min_messages", "warning"},
}};

// Settings that a revision may change but that must not affect bookkeeping: they could make it fail, hang, read other rows or
// write other text. Connecting sets them from the configuration, or leaves the server's values.
inline constexpr std::array<std::string_view, 8> kSessionRest{
    "search_path", "client_encoding", "statement_timeout",  "lock_timeout",
    "xmloption",   "array_nulls",     "default_tablespace", "default_table_access_method",
};

}  // namespace athanor
