// 1:N with one upload: which receivers of one flow share a group, and who must be told what.
// Sends nothing: it says what should be told.
//
//   alone ──► forming: keys told, list told ──answers──► in use ──change, 120 s──► forming
// Whoever is in no group in use, or has not said that it has its keys, is sent to alone, so that
// nothing waits and nothing is lost. Each answer saves an upload: on an uplink that the uploads for
// all overfill, a group that had to wait for every answer would never come into use.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wormhole/group/group.hpp"

namespace wormhole {

struct TellRelay {
  GroupPut message;
};
struct TellReceiver {
  std::uint16_t slot = 0;
  GroupKey keys;
};
using GroupAction = std::variant<TellRelay, TellReceiver>;

class FlowGroups {
 public:
  /// Keys that were not acknowledged are told again after this long: above the round trip of most
  /// relayed pairs …
  static constexpr Duration kTellAgain = 200ms;
  /// … and, when a group is older than kTellOften, after this long. On an uplink that carries a
  /// fifth of what is sent, one of 50 tries comes through.
  static constexpr Duration kTellSilent = 1s;
  static constexpr Duration kTellOften = 10s;
  /// A group takes the place of the one before when all have its keys, or then: one bad link holds
  /// up nobody.
  static constexpr Duration kReplacesAfter = 800ms;
  /// The server keeps no more groups of ours: it is asked again after this long.
  static constexpr Duration kAfterRefusal = 60s;
  /// Often enough for keepalives every 250 ms, and too seldom to cost something.
  static constexpr Duration kNoteEvery = 100ms;
  /// The server hears that a group has ended this much later: above any skew of its sockets.
  static constexpr Duration kEndsAfter = 1s;
  /// Groups of a flow that has been idle for this long are not renewed.
  static constexpr Duration kIdleAfter = 60s;
  /// Groups that have ended, for the sake of their histories: all of a flow with 128 receivers.
  static constexpr std::size_t kMostRetired = 8;

  /// `flow_name` outlives this. `next_number` is the client's: no two of its groups have one
  /// number.
  FlowGroups(FlowNo flow, std::string_view flow_name, std::uint16_t& next_number, Rng& rng);

  /// `all` that the flow goes to, and those of them that groups may serve now; both by ascending
  /// slot. Who is no longer among `all` is served by no group from here on.
  void set_receivers(std::vector<GroupReceiver> all, std::vector<GroupReceiver> grouped);
  /// A receiver has lost what it knew: it is a new process.
  void forget(std::uint16_t slot);
  void on_ack(std::uint16_t slot, std::uint16_t group);
  void on_relay_answer(const GroupAnswer& answer, TimePoint now);
  /// The server knows none of our groups any more.
  void on_relay_restart();

  /// After any of these, and when next_deadline() has come.
  void tend(TimePoint now, std::vector<GroupAction>& actions);
  TimePoint next_deadline() const;
  /// A datagram goes out. True once in a while: then the owner tells the members' paths.
  bool note_use(TimePoint now) {
    used_ = now;
    const bool due = now >= noted_ + kNoteEvery;
    if (due) noted_ = now;
    return due;
  }

  /// Whether it is worth renewing.
  bool is_used(TimePoint now) const { return now - used_ < kIdleAfter; }

  /// What a datagram goes to: each of these groups, and each of these receivers alone.
  const std::vector<std::unique_ptr<Group>>& ready() const { return ready_; }
  const std::vector<std::uint16_t>& alone() const { return alone_; }
  Group* find(std::uint16_t number);
  /// Adds the histories of what has gone to this receiver by groups lately, of those that have
  /// ended, too.
  void add_sources(std::uint16_t slot, std::vector<SentSource>& sources) const;

 private:
  using List = std::vector<std::unique_ptr<Group>>;
  static bool overlap(const Group& a, const Group& b);
  static bool covers(const List& groups, std::uint16_t slot);
  bool serves(std::uint16_t slot) const;
  bool is_stale(const Group& group, TimePoint now) const;
  template <typename Predicate>
  void drop_if(List& from, TimePoint now, Predicate predicate);
  void tell_ended(TimePoint now, std::vector<GroupAction>& actions);
  bool may_serve(const Group& group, TimePoint now) const;
  void promote(TimePoint now);
  std::vector<GroupReceiver> unserved(TimePoint now) const;
  void form(TimePoint now, std::vector<GroupAction>& actions);
  void tell_keys(TimePoint now, std::vector<GroupAction>& actions);
  void tell_keys(Group& group, TimePoint now, std::vector<GroupAction>& actions);

  FlowNo flow_;
  std::string_view flow_name_;
  std::uint16_t& next_number_;
  Rng& rng_;
  std::vector<GroupReceiver> all_;
  std::vector<GroupReceiver> grouped_;
  List ready_;
  List forming_;
  std::deque<std::pair<TimePoint, std::uint16_t>> ended_;  // when, and which: the server keeps them
  // When, and what reports may still tell of.
  std::deque<std::pair<TimePoint, std::unique_ptr<Group>>> retired_;
  bool restarted_ = false;  // the server has to be told of forming_ again
  std::vector<std::uint16_t> alone_;
  TimePoint refused_until_{};
  TimePoint tended_{};
  TimePoint used_{};
  TimePoint noted_{};
};

}  // namespace wormhole
