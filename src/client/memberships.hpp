// Which flows this client may join by itself, and what it has asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/base/time.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/hop/hop_link.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

class Memberships {
 public:
  /// As for flows: see FlowTable.
  static constexpr std::size_t kMaxOffers = 4096;
  /// Requests under way: people and start scripts of one machine.
  static constexpr std::size_t kMaxPending = 16;
  /// The server writes routes.yaml durably before it answers; a slow disk takes a second.
  static constexpr Duration kPatience = 10s;

  /// False when there are too many.
  bool put(const FlowOffer& offer);
  void remove(FlowNo number) { offers_.erase(number); }
  /// The server says everything anew: what was asked for may or may not have been done.
  void restart(std::vector<ClientCommand>& commands);

  void request(std::uint32_t ticket, const MembershipChange& change, HopLink& hop, TimePoint now,
               ClientOutbox& out);
  void on_answer(const MembershipAnswer& answer, std::vector<ClientCommand>& commands);
  void on_timeout(TimePoint now, std::vector<ClientCommand>& commands);
  TimePoint next_deadline() const;

  std::vector<OfferStatus> status() const;

 private:
  std::map<FlowNo, FlowOffer> offers_;
  std::map<std::uint32_t, TimePoint> pending_;  // until when an answer is waited for
};

}  // namespace wormhole
