// Chooses which waiting entry may run next when each server and namespace may run only a few at a time.
//
// An entry waits with a ticket, in a namespace, for a database server. Among the entries that may run, the one with the
// smallest ticket is next. Tickets are assigned so that namespaces take turns: a namespace that adds a thousand entries gets
// turns far in the future, and one that adds its first entry gets the next turn. Three limits hold entries back while others
// overtake: per server, per namespace, and for entries that failed the last time, which may be waiting for servers that never
// answer.
//
// Finding the next entry takes the logarithm of the number of namespaces. When a server becomes full or has room again, it
// costs one step for each namespace with entries waiting for it; pass 0 for a limit that cannot be reached.
//
// Threads: not synchronised; WorkQueue calls it under its own lock. Ownership: borrows the entries; servers and namespaces
// exist while they have members.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace athanor::controller {

// 0: no limit.
struct TurnLimits {
  std::size_t per_server = 0;  // does not apply to entries without a server
  std::size_t per_namespace = 0;
  std::size_t failing = 0;
};

// The order of entries. A ticket that was dealt is greater than a default one.
struct Ticket {
  std::uint64_t turn = 0;
  std::uint64_t number = 0;  // with equal turns, the one dealt first goes first
  auto operator<=>(const Ticket&) const = default;
  [[nodiscard]] explicit operator bool() const { return number != 0; }
};

template <typename Entry>
class FairTurns {
  static constexpr std::size_t kLanes = 2;  // 0: normal, 1: failing
  struct Server;
  struct Namespace;
  using Servers = std::map<std::string, Server>;
  using Namespaces = std::map<std::string, Namespace>;

  // The entries of one namespace that belong to one server.
  struct Group {
    typename Servers::iterator server;
    typename Namespaces::iterator name_space;
    std::array<std::map<Ticket, Entry*>, kLanes> waiting;
    std::array<Ticket, kLanes> listed{};  // its key in Namespace::open
    std::size_t members = 0;
  };
  struct Server {
    std::map<std::string, Group> places;  // by namespace
    std::set<Group*> with_waiting;
    std::size_t out = 0;
    bool full = false;
  };
  struct Namespace {
    std::array<std::map<Ticket, Group*>, kLanes> open;  // groups whose server has room, by their first ticket
    std::array<Ticket, kLanes> listed{};                // its key in open_
    std::size_t out = 0;
    std::size_t places = 0;
    std::uint64_t last_turn = 0;
  };

 public:
  using Place = Group*;  // valid until its last member leaves

  explicit FairTurns(TurnLimits limits) : limits_(limits) {}

  [[nodiscard]] Place join(const std::string& server, const std::string& name_space) {
    const auto host = servers_.try_emplace(server).first;
    const auto [found, is_new] = host->second.places.try_emplace(name_space);
    Group& place = found->second;
    if (is_new) {
      place.server = host;
      place.name_space = namespaces_.try_emplace(name_space).first;
      ++place.name_space->second.places;
    }
    ++place.members;
    return &place;
  }
  void leave(Place place) {
    if (--place->members != 0) {
      return;
    }
    const auto host = place->server;
    const auto area = place->name_space;
    host->second.with_waiting.erase(place);
    host->second.places.erase(area->first);
    if (host->second.places.empty()) {
      servers_.erase(host);
    }
    if (--area->second.places == 0) {
      namespaces_.erase(area);
    }
  }
  [[nodiscard]] const std::string& server_of(Place place) const { return place->server->first; }

  // Moves a member to another server; it waits with `ticket` (none: it does not wait) or is out. `from` may be destroyed.
  [[nodiscard]] Place move(Place from, const std::string& server, Ticket ticket, bool failing, bool is_out) {
    const Place to = join(server, from->name_space->first);
    if (is_out) {  // otherwise returned() would free a slot that was never taken
      --from->server->second.out;
      ++to->server->second.out;
    }
    if (ticket) {
      to->waiting[failing].insert(from->waiting[failing].extract(ticket));
    }
    relist_server(from);
    relist_server(to);
    leave(from);
    return to;
  }

  // Returns a ticket for the namespace's next turn.
  [[nodiscard]] Ticket deal(Place place) {
    Namespace& area = place->name_space->second;
    area.last_turn = std::max(area.last_turn, turn_) + 1;
    return {area.last_turn, ++numbers_};
  }
  void wait(Place place, Ticket ticket, bool failing, Entry& entry) {
    place->waiting[failing].emplace(ticket, &entry);
    relist(*place);
  }
  void cancel(Place place, Ticket ticket, bool failing) {
    place->waiting[failing].erase(ticket);
    relist(*place);
  }

  // Whether an entry may run now.
  [[nodiscard]] bool has_next() const { return next_lane() < kLanes; }
  // Removes the next entry from the waiting ones; it is out until returned(). Requires has_next().
  [[nodiscard]] Entry& take_next() {
    const std::size_t lane = next_lane();
    Namespace& area = *open_[lane].begin()->second;
    Group& place = *area.open[lane].begin()->second;
    const auto first = place.waiting[lane].begin();
    Entry& entry = *first->second;
    turn_ = std::max(turn_, first->first.turn);
    place.waiting[lane].erase(first);
    ++area.out;
    failing_out_ += lane;
    ++place.server->second.out;
    relist_server(&place);
    relist(area);
    return entry;
  }
  void returned(Place place, bool failing) {
    Namespace& area = place->name_space->second;
    --area.out;
    failing_out_ -= failing ? 1 : 0;
    --place->server->second.out;
    relist_server(place);
    relist(area);
  }
  // Whether more entries of the server are out than allowed, because one moved there while it was out.
  [[nodiscard]] bool over_limit(Place place) const {
    return !place->server->first.empty() && limits_.per_server != 0 && place->server->second.out > limits_.per_server;
  }
  // Removes all waiting entries.
  void clear_waiting() {
    for (auto& [server, host] : servers_) {
      for (auto& [name_space, place] : host.places) {
        place.waiting = {};
        relist(place);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t next_lane() const {
    const bool failing_may = !open_[1].empty() && (limits_.failing == 0 || failing_out_ < limits_.failing);
    if (open_[0].empty()) {
      return failing_may ? 1 : kLanes;
    }
    return failing_may && open_[1].begin()->first < open_[0].begin()->first ? 1 : 0;
  }

  // Call it after a change of `changed` or of the number of its server's entries that are out.
  void relist_server(Place changed) {
    auto& [name, server] = *changed->server;
    const bool full = !name.empty() && limits_.per_server != 0 && server.out >= limits_.per_server;
    const bool turned = std::exchange(server.full, full) != full;
    relist(*changed);
    if (turned) {
      for (const Place place : server.with_waiting) {  // all of them are waiting, so none leaves the set
        relist(*place);
      }
    }
  }
  void relist(Group& place) {
    const bool waits = !place.waiting[0].empty() || !place.waiting[1].empty();
    auto& with_waiting = place.server->second.with_waiting;
    if (waits) {
      with_waiting.insert(&place);
    } else {
      with_waiting.erase(&place);
    }
    Namespace& area = place.name_space->second;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto& waiting = place.waiting[lane];
      list(area.open[lane], place.listed[lane],
           !place.server->second.full && !waiting.empty() ? waiting.begin()->first : Ticket(), &place);
    }
    relist(area);
  }
  void relist(Namespace& area) {
    const bool room = limits_.per_namespace == 0 || area.out < limits_.per_namespace;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      list(open_[lane], area.listed[lane], room && !area.open[lane].empty() ? area.open[lane].begin()->first : Ticket(), &area);
    }
  }
  template <typename Index, typename Value>
  static void list(Index& index, Ticket& listed, Ticket first, Value value) {
    if (first == listed) {
      return;
    }
    if (listed) {
      index.erase(listed);
    }
    if (first) {
      index.emplace(first, value);
    }
    listed = first;
  }

  TurnLimits limits_;
  Servers servers_;
  Namespaces namespaces_;
  std::array<std::map<Ticket, Namespace*>, kLanes> open_;  // namespaces with room and a waiting entry, by their first ticket
  std::size_t failing_out_ = 0;
  std::uint64_t turn_ = 0;  // of the last ticket taken
  std::uint64_t numbers_ = 0;
};

}  // namespace athanor::controller
