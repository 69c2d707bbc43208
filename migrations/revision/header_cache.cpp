#include "migrations/revision/header_cache.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace athanor {
namespace {

constexpr std::string_view kMagic = "athanorH";
constexpr std::size_t kMostBytes = 64U << 20U;
// Digest of this library's sources: a change of the parsers invalidates the cache.
constexpr std::string_view kParsers = ATHANOR_HEADER_PARSERS;

// Local file systems, whose ctime the kernel of this machine sets. (<linux/magic.h> has no names for xfs, zfs and bcachefs.)
constexpr std::array<std::uint64_t, 7> kLocalFileSystems{
    EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, 0x58465342, 0x2fc12fc1, 0xca451a4e};

std::int64_t nanoseconds(const struct timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Detects damage, not malice: only we can write the file. Each step is reversible in the word it adds, so a single damaged word
// is always detected. Four lanes hide the latency of the multiplication.
std::uint64_t checksum(std::string_view bytes) {
  constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
  const auto mix = [](std::uint64_t state, std::uint64_t word) {
    state = (state ^ word) * kOdd;
    return state ^ (state >> 32U);
  };
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  std::uint64_t word = 0;
  const std::uint64_t length = bytes.size();
  for (; bytes.size() >= sizeof word * lanes.size(); bytes.remove_prefix(sizeof word * lanes.size())) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      std::memcpy(&word, bytes.data() + lane * sizeof word, sizeof word);
      lanes[lane] = mix(lanes[lane], word);
    }
  }
  std::uint64_t sum = length;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(sizeof word, bytes.size()))) {
    word = 0;
    std::memcpy(&word, bytes.data(), std::min(sizeof word, bytes.size()));
    sum = mix(sum, word);
  }
  for (const auto lane : lanes) {
    sum = mix(sum, lane);
  }
  return sum;
}

class Writer {
 public:
  template <typename Number>
  void fixed(Number number) {
    const auto bytes = std::bit_cast<std::array<char, sizeof number>>(number);
    text_.append(bytes.data(), bytes.size());
  }
  void count(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7U) {
      text_ += static_cast<char>(number | 0x80U);
    }
    text_ += static_cast<char>(number);
  }
  void text(std::string_view bytes) {
    count(bytes.size());
    text_ += bytes;
  }
  void list(const std::vector<std::string>& items) {
    count(items.size());
    for (const auto& item : items) {
      text(item);
    }
  }
  [[nodiscard]] std::string take() { return std::move(text_); }
  void reserve(std::size_t bytes) { text_.reserve(bytes); }

 private:
  std::string text_;
};

// Every read reports whether enough bytes were left, and checks lengths before using them.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
  [[nodiscard]] bool fixed(Number& number) {
    if (bytes_.size() < sizeof number) {
      return false;
    }
    std::memcpy(&number, bytes_.data(), sizeof number);
    bytes_.remove_prefix(sizeof number);
    return true;
  }
  [[nodiscard]] bool count(std::uint64_t& number) {
    number = 0;
    for (unsigned shift = 0; shift < 35 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool text(std::string_view& text) {
    std::uint64_t length = 0;
    if (!count(length) || length > bytes_.size()) {
      return false;
    }
    text = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return true;
  }
  [[nodiscard]] bool text(std::string& into) {
    std::string_view view;
    if (!text(view)) {
      return false;
    }
    into.assign(view);
    return true;
  }
  [[nodiscard]] bool list(std::vector<std::string>& items) {
    std::uint64_t length = 0;
    if (!count(length) || length > bytes_.size()) {  // each item takes at least one byte
      return false;
    }
    items.reserve(length);
    for (; length > 0; --length) {
      std::string_view item;
      if (!text(item)) {
        return false;
      }
      items.emplace_back(item);
    }
    return true;
  }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

std::string encode(const Revision& revision) {
  Writer out;
  out.text(revision.id);
  out.list(revision.down);
  out.list(revision.depends_on);
  out.list(revision.labels);
  out.text(revision.message);
  out.text(revision.created);
  return out.take();
}

// The folder's device, if the times of its files are set by this kernel.
std::optional<std::uint64_t> device_of(const VersionFolder& folder) {
  struct statfs system {};
  struct stat status {};
  if (::fstatfs(folder.descriptor(), &system) != 0 || ::fstat(folder.descriptor(), &status) != 0) {
    return std::nullopt;
  }
  const auto kind = static_cast<std::uint64_t>(system.f_type) & 0xFFFF'FFFFU;
  return std::ranges::find(kLocalFileSystems, kind) != kLocalFileSystems.end() ? std::optional(status.st_dev) : std::nullopt;
}

std::string hexadecimal(std::uint64_t number) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4U) {
    *digit = "0123456789abcdef"[number & 0xFU];
  }
  return text;
}

}  // namespace

FileStamp FileStamp::of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

HeaderCache::HeaderCache(CacheFolder folder, std::string identity, WallTime began)
    : folder_(std::move(folder)),
      identity_(std::move(identity)),
      name_(hexadecimal(checksum(identity_)) + ".headers"),
      began_(began) {}

std::optional<HeaderCache> HeaderCache::open(const HeaderCacheSettings& settings, const std::vector<VersionFolder>& folders,
                                             bool recursive, const SourceLimits& limits) {
  if (settings.folder.empty() || settings.clock == nullptr) {
    return std::nullopt;
  }
  const auto began = settings.clock->wall_now();
  Writer identity;
  identity.count(recursive ? 1 : 0);
  identity.count(limits.max_file_bytes);
  std::vector<std::uint64_t> devices;
  for (const auto& folder : folders) {
    const auto device = device_of(folder);
    // One location without reliable times disables the whole cache.
    if (!device || folder.real_path().empty()) {
      return std::nullopt;
    }
    devices.push_back(*device);
    // The same folders under other names share one cache.
    identity.text(folder.real_path());
  }
  auto place = CacheFolder::open(settings.folder);
  if (!place) {
    return std::nullopt;
  }
  HeaderCache cache(std::move(*place), identity.take(), began);
  cache.devices_ = std::move(devices);
  cache.load();
  return cache;
}

void HeaderCache::load() {
  auto bytes = folder_.read(name_, kMostBytes);
  if (!bytes) {
    return;
  }
  bytes_ = std::move(*bytes);
  if (!parse(bytes_)) {
    records_.clear();
  }
}

bool HeaderCache::parse(std::string_view bytes) {
  std::uint64_t sum = 0;
  if (bytes.size() < kMagic.size() + sizeof sum || !bytes.starts_with(kMagic)) {
    return false;
  }
  std::memcpy(&sum, bytes.data() + kMagic.size(), sizeof sum);
  bytes.remove_prefix(kMagic.size() + sizeof sum);
  Reader in(bytes);
  std::string_view parsers;
  std::string_view identity;
  if (!in.text(parsers) || parsers != kParsers || !in.text(identity) || identity != identity_ || checksum(bytes) != sum) {
    return false;
  }
  std::uint64_t count = 0;
  if (!in.count(count)) {
    return false;
  }
  // The count is not trusted: a damaged file must not reserve gigabytes.
  records_.reserve(std::min<std::size_t>(count, in.left() / sizeof(FileStamp)));
  while (!in.at_end()) {
    Record record{};
    if (!in.fixed(record.stamp) || !in.fixed(record.folder) || !in.text(record.name) || !in.text(record.header)) {
      return false;
    }
    records_.push_back(record);
  }
  return records_.size() == count;
}

bool HeaderCache::decode(std::string_view header, Revision& revision) {
  Reader in(header);
  return in.text(revision.id) && in.list(revision.down) && in.list(revision.depends_on) && in.list(revision.labels) &&
         in.text(revision.message) && in.text(revision.created) && in.at_end();
}

bool HeaderCache::keeps(const FileStamp& stamp, std::uint32_t folder) const {
  // A change within the same clock tick as the read would leave the stamp unchanged.
  const auto limit = std::chrono::duration_cast<std::chrono::nanoseconds>((began_ - kRacyWindow).time_since_epoch()).count();
  return stamp.device == devices_[folder] && stamp.modified < limit && stamp.changed < limit;
}

void HeaderCache::store(std::span<const Kept> kept) const {
  Writer body;
  body.reserve(kept.size() * 256);
  body.text(kParsers);
  body.text(identity_);
  body.count(kept.size());
  for (const auto& one : kept) {
    body.fixed(one.stamp);
    body.fixed(one.folder);
    body.text(one.name);
    body.text(encode(*one.revision));
  }
  const auto bytes = body.take();
  auto head = std::string(kMagic);
  const auto sum = std::bit_cast<std::array<char, sizeof(std::uint64_t)>>(checksum(bytes));
  head.append(sum.data(), sum.size());
  if (head.size() + bytes.size() <= kMostBytes && folder_.replace(name_, head + bytes, began_)) {
    folder_.forget_old(began_);
  }
}

}  // namespace athanor
