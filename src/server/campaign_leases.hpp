// Who may punch heavily now: a bounded list of turns, in the order in which they were asked for
// (docs/protocol.md, section 7). It knows numbers and addresses only; nothing here is sent.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

class CampaignLeases {
 public:
  /// A turn begins this long after it was granted, or not at all: two NAT checks of 1 s, one at
  /// each end, and six offers 300 ms apart.
  static constexpr Duration kStart = 4s;
  /// Between grant and receipt, and between the campaign's end and its word: three transmissions of
  /// the control stream, twice.
  static constexpr Duration kTravel = 2s;
  /// One end has finished; the other learns of the path, or of the end, so much later at most: what
  /// lost challenges take.
  static constexpr Duration kOtherEnd = 1s;
  /// A waiting client asks again every 5 s: after three omissions it has gone.
  static constexpr Duration kWait = 15s;
  /// Turns held and waited for, of all clients: 100 KiB, and more than half an hour of waiting.
  static constexpr std::size_t kMost = 1024;

  struct End {
    ClientNo client;
    IpAddress address;  ///< as the server sees it
  };
  /// A message that is due.
  struct News {
    ClientNo to;
    CampaignTurn turn;
  };
  struct Counters {
    std::uint64_t granted = 0, waited = 0, refused = 0, expired = 0, end_ignored = 0;
  };

  CampaignLeases() { set_limits({}); }
  /// Takes effect from the next decision on. The longest campaign that the settings allow gives
  /// each turn its life.
  void set_limits(const P2pSettings& settings);
  /// `asker` wants to punch with `other`. An end holds or waits for one turn at a time that it has
  /// asked for; a repeated question keeps its place.
  void ask(const End& asker, const End& other, TimePoint now);
  void refuse(ClientNo asker, ClientNo other);
  /// `by` has finished with its turn, or wants it no more. `turn` 0: the one that it asked for.
  void end(ClientNo by, ClientNo other, std::uint32_t turn, TimePoint now);
  /// The client has gone: all of its turns end at its end.
  void leave(ClientNo client, TimePoint now);
  void on_timeout(TimePoint now);
  TimePoint next_deadline() const;

  std::vector<News> take_news();
  const Counters& counters() const { return counters_; }
  std::size_t held() const;
  std::size_t waiting() const { return leases_.size() - held(); }
  Duration life() const { return life_; }

 private:
  struct Lease {
    std::uint32_t number = 0;
    std::array<End, 2> ends;  ///< the asker first
    std::array<bool, 2> ended{};
    bool granted = false;
    TimePoint until{};
    bool is_between(ClientNo a, ClientNo b) const;
    bool is_over() const { return ended[0] && ended[1]; }
  };
  using Answer = CampaignTurn::Answer;

  void settle(TimePoint now);
  void end_at(Lease& lease, std::size_t which, TimePoint now);
  Answer answer_to(std::size_t place, std::size_t which) const;
  void tell(std::size_t place);
  bool is_free(std::size_t place, const IpAddress& address) const;

  std::vector<Lease> leases_;  // in the order of asking
  std::vector<News> news_;
  std::uint32_t next_ = 1;
  unsigned per_address_ = 0;
  Duration life_{};
  Counters counters_;
};

}  // namespace wormhole
