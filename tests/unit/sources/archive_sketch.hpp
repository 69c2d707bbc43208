// Builds tar archives for tests, including ones with dangerous names, links and devices, and ones that no program would write.
//
// Threads: any; plain values.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
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

// gzip of `text`, and then of `times` times `block`.
inline std::string gzip_of(const std::string& text, const std::string& block = {}, std::size_t times = 0) {
  z_stream zlib{};
  ::deflateInit2(&zlib, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
  std::string out;
  std::string buffer(std::size_t{64} << 10U, '\0');
  const auto put = [&](const std::string& bytes, int flush) {
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib.avail_in = static_cast<uInt>(bytes.size());
    do {
      zlib.next_out = reinterpret_cast<Bytef*>(buffer.data());
      zlib.avail_out = static_cast<uInt>(buffer.size());
      ::deflate(&zlib, flush);
      out.append(buffer, 0, buffer.size() - zlib.avail_out);
    } while (zlib.avail_out == 0);
  };
  put(text, Z_NO_FLUSH);
  for (std::size_t i = 0; i < times; ++i) {
    put(block, Z_NO_FLUSH);
  }
  put({}, Z_FINISH);
  ::deflateEnd(&zlib);
  return out;
}

inline std::string octal(std::uint64_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0 && number > 0; number >>= 3U) {
    text[--i] = static_cast<char>('0' + (number & 7U));
  }
  return text;
}

// A block of a tar archive with these bytes at offset 124 as the size, and whatever type. `more`: bytes at an offset.
inline std::string raw_header(const std::string& name, const std::string& size, char type = '0',
                              const std::vector<std::pair<std::size_t, std::string>>& more = {}) {
  std::string block(512, '\0');
  const auto put = [&block](std::size_t at, const std::string& bytes) { block.replace(at, bytes.size(), bytes); };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(124, size);
  put(136, "00000000000");
  put(148, "        ");
  put(156, std::string(1, type));
  put(257, std::string("ustar\00000", 8));
  for (const auto& [at, bytes] : more) {
    put(at, bytes);
  }
  std::uint64_t sum = 0;
  for (const char c : block) {
    sum += static_cast<unsigned char>(c);
  }
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return block;
}

// A whole entry: header and padded content.
inline std::string raw_entry(const std::string& name, const std::string& content, char type = '0') {
  return raw_header(name, octal(content.size(), 11), type) + content + std::string((512 - content.size() % 512) % 512, '\0');
}

// A pax extended header with one record.
inline std::string pax(const std::string& key, const std::string& value) {
  std::string record = " " + key + "=" + value + "\n";
  std::size_t length = record.size() + 1;
  while (std::to_string(length).size() + record.size() != length) {
    ++length;
  }
  return raw_entry("pax", std::to_string(length) + record, 'x');
}

inline const std::string kEndOfArchive(1024, '\0');

}  // namespace athanor::controller::sketch
