#include "migrations/graph/set_order.hpp"

#include <bit>

namespace athanor {
namespace {

constexpr std::size_t kEmpty = SIZE_MAX;
constexpr std::size_t kSmallest = 8;    // slots of a new table
constexpr std::size_t kNeighbours = 9;  // slots tried side by side before jumping
constexpr unsigned kPerturbShift = 5;

struct Sip {
  std::uint64_t a = 0x736f6d6570736575;
  std::uint64_t b = 0x646f72616e646f6d;
  std::uint64_t c = 0x6c7967656e657261;
  std::uint64_t d = 0x7465646279746573;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    a ^= word;
  }
};

// An open-addressing table that remembers places only.
class Table {
 public:
  explicit Table(const std::vector<std::uint64_t>& hashes) : hashes_(hashes), slots_(kSmallest, kEmpty) {}

  void insert(std::size_t place) {
    put(place);
    if (++used_ * 5 >= (slots_.size() - 1) * 3) {
      grow();
    }
  }

  [[nodiscard]] std::vector<std::size_t> places() const {
    std::vector<std::size_t> result;
    for (const std::size_t place : slots_) {
      if (place != kEmpty) {
        result.push_back(place);
      }
    }
    return result;
  }

 private:
  void put(std::size_t place) {
    const std::size_t mask = slots_.size() - 1;
    std::uint64_t perturb = hashes_[place];
    std::size_t slot = perturb & mask;
    while (true) {
      const std::size_t last = slot + kNeighbours <= mask ? slot + kNeighbours : slot;
      for (std::size_t i = slot; i <= last; ++i) {
        if (slots_[i] == kEmpty) {
          slots_[i] = place;
          return;
        }
      }
      perturb >>= kPerturbShift;
      slot = (slot * 5 + 1 + perturb) & mask;
    }
  }

  void grow() {
    const std::vector<std::size_t> before = places();
    const std::size_t wanted = used_ > 50000 ? used_ * 2 : used_ * 4;
    slots_.assign(std::bit_floor(wanted) * 2, kEmpty);
    for (const std::size_t place : before) {
      put(place);
    }
  }

  const std::vector<std::uint64_t>& hashes_;
  std::vector<std::size_t> slots_;
  std::size_t used_ = 0;
};

}  // namespace

std::uint64_t set_hash(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  Sip sip;
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * (i % 8));
    if (i % 8 == 7) {
      sip.take(word);
      word = 0;
    }
  }
  sip.take(word | (std::uint64_t{text.size()} << 56));
  sip.c ^= 0xff;
  sip.round();
  sip.round();
  sip.round();
  const std::uint64_t hash = sip.a ^ sip.b ^ sip.c ^ sip.d;
  return hash == UINT64_MAX ? UINT64_MAX - 1 : hash;  // -1 means "error" there
}

std::vector<std::size_t> set_order(const std::vector<std::string_view>& names) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(names.size());
  for (const std::string_view name : names) {
    hashes.push_back(set_hash(name));
  }
  Table table(hashes);
  for (std::size_t place = 0; place < names.size(); ++place) {
    table.insert(place);
  }
  return table.places();
}

}  // namespace athanor
