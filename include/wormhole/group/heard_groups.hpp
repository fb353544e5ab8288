// The groups of one sender that we are a receiver of.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "wormhole/session/session.hpp"
#include "wormhole/wire/control.hpp"

namespace wormhole {

/// Group frames of one sender that were dropped, by cause.
struct GroupDrops {
  std::uint64_t unknown = 0;  ///< of no group that we have the keys of
  std::uint64_t replayed = 0;
  std::uint64_t forged = 0;    ///< by a stranger, or by another receiver
  std::uint64_t too_many = 0;  ///< keys that were refused
};

class HeardGroups {
 public:
  /// Of one flow: the one in use, and those that were begun after it and have not replaced it yet.
  static constexpr std::size_t kMostOfFlow = 8;
  /// Of one sender: 0.5 MiB of replay windows.
  static constexpr std::size_t kMost = 256;

  /// The sender's word, authentic; the oldest of the flow makes way. False when there are too many
  /// of other flows. A repetition changes nothing.
  bool put(const GroupKey& keys, FlowSlot flow, std::string_view flow_name, TimePoint now);
  /// Checks group, window and our own tag, opens `frame` (with our tag at its end) in place, and
  /// only then commits. Nothing when any of that fails (counted).
  std::optional<MutBytes> open(const FrameHeader& header, FlowSlot flow, MutBytes frame,
                               TimePoint now);
  const GroupDrops& drops() const { return drops_; }
  std::size_t size() const { return groups_.size(); }

 private:
  struct Heard {
    std::uint16_t number = 0;
    FlowSlot flow;
    SecretKey secret;
    SecretKey key;
    ReceiverKey own{};
    ReplayWindow window;
    TimePoint ends{};
  };
  Heard* find(std::uint16_t number);
  void make_way(FlowSlot flow);

  std::vector<std::unique_ptr<Heard>> groups_;  // one sender's: few, the newest first
  GroupDrops drops_;
};

}  // namespace wormhole
