// The version of the facts. Increment it whenever the extraction returns different facts for the same database, or
// write_catalog() different bytes for the same facts. Catalogs stored under another version are discarded, or not compared.
#pragma once

namespace athanor::schema {

inline constexpr int kFactsVersion = 3;

}  // namespace athanor::schema
