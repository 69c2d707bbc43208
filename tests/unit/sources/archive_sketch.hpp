// Builds tar archives for tests, including ones with dangerous names, links and devices.
//
// Threads: any; plain values.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace athanor::controller::sketch {

struct ArchiveEntry {
  std::string name;
  std::string content{};
  unsigned type = AE_IFREG;
  std::string link{};
  std::string hard_link{};
};

inline std::string archive_of(const std::vector<ArchiveEntry>& entries) {
  std::string bytes;
  archive* made = ::archive_write_new();
  ::archive_write_add_filter_gzip(made);
  ::archive_write_set_format_pax_restricted(made);
  ::archive_write_set_bytes_in_last_block(made, 1);
  const auto append = [](archive*, void* into, const void* data, std::size_t size) {
    static_cast<std::string*>(into)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  };
  if (::archive_write_open(made, &bytes, nullptr, append, nullptr) != ARCHIVE_OK) {
    throw std::runtime_error("no archive");
  }
  for (const auto& [name, content, type, link, hard_link] : entries) {
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, name.c_str());
    ::archive_entry_set_filetype(entry, type);
    ::archive_entry_set_perm(entry, 0644);
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    if (!link.empty()) {
      ::archive_entry_set_symlink(entry, link.c_str());
    }
    if (!hard_link.empty()) {
      ::archive_entry_set_hardlink(entry, hard_link.c_str());
    }
    if (::archive_write_header(made, entry) != ARCHIVE_OK) {
      throw std::runtime_error(::archive_error_string(made));
    }
    ::archive_write_data(made, content.data(), content.size());
    ::archive_entry_free(entry);
  }
  ::archive_write_free(made);
  return bytes;
}

}  // namespace athanor::controller::sketch
