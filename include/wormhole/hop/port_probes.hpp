// The server's relay ports, as a client sees them: which flow has one, and whether it answers.
//
//   told ──► probing ──answer──► in use ──1.5 s without an answer──► probing
//               ▲  └──no answer──► resting ──┐
//               └────────30 s … 5 min────────┘
// Only `in use` carries datagrams; all others go to the port that all flows share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// What became of a flow's relay port, for people.
struct RelayPortChange {
  enum class Kind : std::uint8_t {
    kAnswers,  ///< the flow is relayed by it from now on
    kSilent,   ///< it does not answer: the flow stays where it is
    kLost      ///< it has stopped answering: the flow is back on the shared port
  };
  FlowNo flow;
  std::uint16_t port = 0;
  Kind kind = Kind::kSilent;
};

class PortProbes {
 public:
  /// Three tries; a path with more than 150 ms of round trip gets two round trips.
  static constexpr Duration kAnswerWithin = 300ms;
  static constexpr Duration kTry = 100ms;
  /// Keeps the NAT's binding (2 s would do) and shows within kSilence that it still works.
  static constexpr Duration kPing = 500ms;
  /// Three pings; with the tries in between, 10 % loss each way does not add up to it.
  static constexpr Duration kSilence = 1500ms;
  /// A firewall stays as it is for hours, but a person who opens it wants to see that.
  static constexpr Duration kRestFirst = 30s;
  static constexpr Duration kRestMost = 300s;
  /// As many as a client can have flows.
  static constexpr std::size_t kMaxPorts = 4096;

  /// The server's address in use. A port is one of that address only: with another, all are
  /// forgotten.
  void set_server(const Endpoint& server);
  /// The server's word on a flow's port; 0 takes it away. It is probed from `now` on.
  void put(FlowNo flow, std::uint16_t port, TimePoint now);
  void clear();

  /// The port that a frame of the flow goes to; 0: the shared one. For each packet.
  std::uint16_t in_use(FlowNo flow) const {
    return flow.value < in_use_.size() ? in_use_[flow.value] : 0;
  }
  /// Whether the datagram's source is one of the ports.
  bool knows(const Endpoint& from) const;
  /// An authentic answer to a ping that went to `port` at `sent`.
  void on_pong(std::uint16_t port, TimePoint sent, TimePoint now,
               std::vector<RelayPortChange>& changes);
  /// Calls `ping(endpoint)` for each port that is due. `rtt` is the hop's.
  template <typename Ping>
  void on_timeout(TimePoint now, std::optional<Duration> rtt, Ping&& ping,
                  std::vector<RelayPortChange>& changes) {
    if (now < deadline_) return;
    deadline_ = kNever;
    for (auto& entry : entries_) {
      judge(entry, now, rtt, changes);
      if (now >= entry.next_ping) {
        entry.next_ping = now + interval(entry, now, rtt);
        ping(Endpoint{server_.address, entry.port});
      }
      deadline_ = std::min(deadline_, entry.next_ping);
    }
  }
  TimePoint next_deadline() const { return deadline_; }

 private:
  enum class State : std::uint8_t { kProbing, kInUse, kResting };
  struct Entry {
    FlowNo flow;
    std::uint16_t port = 0;
    State state = State::kProbing;
    TimePoint since{};  // probing: since when; in use: the last answer
    TimePoint next_ping{};
    Duration rest = kRestFirst;
  };

  void judge(Entry& entry, TimePoint now, std::optional<Duration> rtt,
             std::vector<RelayPortChange>& changes);
  static Duration interval(const Entry& entry, TimePoint now, std::optional<Duration> rtt);
  void use(const Entry& entry, std::uint16_t port);

  Endpoint server_;
  std::vector<Entry> entries_;
  std::vector<std::uint16_t> in_use_;  // by flow number
  TimePoint deadline_ = kNever;
};

}  // namespace wormhole
