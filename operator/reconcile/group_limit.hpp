// Which waiting entry may go first when each group has room for a few at a time.
//
// Entries wait with a ticket and belong to a group. Of the groups that have room, the one whose first ticket is the smallest
// comes first: the entry that has waited longest, unless its group is full. Finding it takes the logarithm of the number of
// groups, however many entries are held back, because groups with room and entries are indexed by their first ticket.
//
// Threads: none of its own and no lock; WorkQueue calls it under its own. Ownership: borrows the entries; a group lives while
// it has members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace athanor::controller {

template <typename Entry>
class GroupLimit {
  struct Group {
    std::map<std::uint64_t, Entry*> waiting;  // by ticket
    std::size_t out = 0;
    std::size_t members = 0;
    std::uint64_t listed = 0;  // its key in open_; 0: it is not there
  };

 public:
  using Place = typename std::map<std::string, Group>::iterator;  // valid until its last member leaves

  // `limit`: entries of one group that may be out at a time; 0: any number. The group without a name has no limit.
  explicit GroupLimit(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] Place join(const std::string& name) {
    const auto place = groups_.try_emplace(name).first;
    ++place->second.members;
    return place;
  }
  void leave(Place place) {
    if (--place->second.members == 0) {
      groups_.erase(place);
    }
  }
  // Moves a member that waits with `ticket` (0: it does not wait) or is out. `from` may be gone afterwards.
  [[nodiscard]] Place move(Place from, const std::string& name, std::uint64_t ticket, bool is_out) {
    const Place to = join(name);
    if (is_out) {  // or returned() would free a slot that was never taken
      --from->second.out;
      ++to->second.out;
    }
    if (ticket != 0) {
      to->second.waiting.insert(from->second.waiting.extract(ticket));
    }
    relist(from);
    relist(to);
    leave(from);
    return to;
  }

  // Tickets are unique and greater than zero.
  void wait(Place place, std::uint64_t ticket, Entry& entry) {
    place->second.waiting.emplace(ticket, &entry);
    relist(place);
  }
  void cancel(Place place, std::uint64_t ticket) {
    place->second.waiting.erase(ticket);
    relist(place);
  }

  // Some entry may go.
  [[nodiscard]] bool has_next() const { return !open_.empty(); }
  // Takes the entry that goes first: it no longer waits, and is out until returned(). Requires has_next().
  [[nodiscard]] Entry& take_next() {
    const Place place = open_.begin()->second;
    Entry& entry = *place->second.waiting.begin()->second;
    place->second.waiting.erase(place->second.waiting.begin());
    ++place->second.out;
    relist(place);
    return entry;
  }
  void returned(Place place) {
    --place->second.out;
    relist(place);
  }
  // More of the group are out than may be: an entry moved here while it was out.
  [[nodiscard]] bool over_limit(Place place) const {
    return !place->first.empty() && limit_ != 0 && place->second.out > limit_;
  }
  // Nothing waits any more.
  void clear_waiting() {
    for (auto& [name, group] : groups_) {
      group.waiting.clear();
      group.listed = 0;
    }
    open_.clear();
  }

 private:
  // After every change of what waits in a group, or of how much of it is out.
  void relist(Place place) {
    Group& group = place->second;
    const bool has_room = place->first.empty() || limit_ == 0 || group.out < limit_;
    const std::uint64_t first = has_room && !group.waiting.empty() ? group.waiting.begin()->first : 0;
    if (first == group.listed) {
      return;
    }
    if (group.listed != 0) {
      open_.erase(group.listed);
    }
    if (first != 0) {
      open_.emplace(first, place);
    }
    group.listed = first;
  }

  std::size_t limit_;
  std::map<std::string, Group> groups_;
  std::map<std::uint64_t, Place> open_;  // groups that have room and something that waits, by their first ticket
};

}  // namespace athanor::controller
