// The version of the facts: it rises whenever the extraction gives other facts of the same database, or write_catalog() other
// bytes of the same facts. What was kept under another version is made again, or not compared.
#pragma once

namespace athanor::schema {

inline constexpr int kFactsVersion = 1;

}  // namespace athanor::schema
