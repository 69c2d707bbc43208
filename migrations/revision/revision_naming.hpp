// The naming rules of new revision files, with Alembic's field names and defaults.
//
// Threads: plain values.
#pragma once

#include <string>

namespace athanor {

struct RevisionNaming {
  std::string file_template = "%(rev)s_%(slug)s";
  int truncate_slug_length = 40;
  std::string timezone;  // empty: UTC; otherwise an IANA name
};

}  // namespace athanor
