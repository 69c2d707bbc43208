#include "operator/kube/known_objects.hpp"

#include <charconv>
#include <cstring>
#include <functional>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::uint64_t kTextBit = std::uint64_t{1} << 62U;
constexpr std::uint64_t kVersionMask = (std::uint64_t{1} << 63U) - 1;

std::uint64_t number_of(std::string_view version) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
  if (error == std::errc() && end == version.data() + version.size() && number < kTextBit) {
    return number;
  }
  return (std::hash<std::string_view>{}(version) & (kTextBit - 1)) | kTextBit;
}

}  // namespace

// The entry of the text, or the free one where it belongs. Never called on a full table.
std::size_t KnownObjects::slot_of(std::string_view text) const {
  const std::size_t mask = entries_.size() - 1;
  std::size_t slot = std::hash<std::string_view>{}(text)&mask;
  while (entries_[slot].text && text != entries_[slot].text.get()) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void KnownObjects::grow() {
  std::vector<Entry> old = std::exchange(entries_, {});
  entries_.resize(old.empty() ? 16 : old.size() * 2);
  for (Entry& entry : old) {
    if (entry.text) {
      entries_[slot_of(entry.text.get())] = std::move(entry);
    }
  }
}

void KnownObjects::begin_list() {
  list_ ^= 1U;
  for (Entry& entry : entries_) {
    entry.seen = list_ ^ 1U;
  }
}

bool KnownObjects::see(const ResourceKey& key, std::string_view resource_version) {
  if ((size_ + 1) * 4 > entries_.size() * 3) {
    grow();
  }
  const std::string text = key.text();
  Entry& entry = entries_[slot_of(text)];
  const std::uint64_t version = number_of(resource_version);
  const bool reported = entry.text && entry.version == version;
  if (!entry.text) {
    entry.text = std::make_unique_for_overwrite<char[]>(text.size() + 1);
    std::memcpy(entry.text.get(), text.c_str(), text.size() + 1);
    ++size_;
  }
  entry.version = version & kVersionMask;
  entry.seen = list_;
  return !reported;
}

// Entries behind the freed one move up, so that no search ends too early.
void KnownObjects::free_slot(std::size_t slot) {
  const std::size_t mask = entries_.size() - 1;
  entries_[slot] = Entry{};
  --size_;
  std::size_t gap = slot;
  for (std::size_t next = (gap + 1) & mask; entries_[next].text; next = (next + 1) & mask) {
    const std::size_t home = std::hash<std::string_view>{}(entries_[next].text.get()) & mask;
    if (((next - home) & mask) >= ((next - gap) & mask)) {
      entries_[gap] = std::exchange(entries_[next], Entry{});
      gap = next;
    }
  }
}

bool KnownObjects::erase(const ResourceKey& key) {
  if (entries_.empty()) {
    return false;
  }
  const std::size_t slot = slot_of(key.text());
  if (!entries_[slot].text) {
    return false;
  }
  free_slot(slot);
  return true;
}

std::vector<ResourceKey> KnownObjects::finish_list() {
  std::vector<ResourceKey> gone;
  for (const Entry& entry : entries_) {
    if (entry.text && entry.seen != list_) {
      gone.push_back(ResourceKey::parse(entry.text.get()));
    }
  }
  for (const ResourceKey& key : gone) {
    erase(key);
  }
  return gone;
}

std::size_t KnownObjects::bytes() const {
  std::size_t bytes = entries_.capacity() * sizeof(Entry);
  for (const Entry& entry : entries_) {
    if (entry.text) {
      bytes += (std::strlen(entry.text.get()) + 1 + 8 + 15) / 16 * 16;  // as malloc rounds it
    }
  }
  return bytes;
}

}  // namespace athanor::controller
