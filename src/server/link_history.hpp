// What a client says of its links, for the last ten minutes.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

/// What all clients' histories take together, and what did not fit.
struct LinkBudget {
  /// 1,000 clients with two links in use each, told of every 5 s: 240,000 samples of 10 minutes, of
  /// 80 bytes each: 20 MB, and as much again for changes.
  static constexpr std::size_t kMostSamples = 480'000;
  std::size_t samples = 0;
  std::size_t links = 0;
  std::uint64_t news = 0;             ///< messages heard
  std::uint64_t links_refused = 0;    ///< messages on links beyond LinkHistory::kMostLinks
  std::uint64_t samples_refused = 0;  ///< beyond kMostSamples; the newest state is kept anyway
};

/// The links of one client. Gives back to the budget what it holds when it goes.
class LinkHistory {
 public:
  static constexpr Duration kKept = 600s;
  /// At most one sample a second is kept of each link.
  static constexpr Duration kPause = 1s;
  /// Of one client: 32 peers by two ways and 64 flows.
  static constexpr std::size_t kMostLinks = 128;

  struct Key {
    ClientNo peer;
    std::uint8_t way = 0;
    FlowNo flow;
    auto operator<=>(const Key&) const = default;
  };
  struct Sample {
    TimePoint at{};
    LinkNews news;
  };
  struct Link {
    Sample newest;
    std::deque<Sample> samples;  ///< oldest first
  };

  LinkHistory() = default;
  LinkHistory(const LinkHistory&) = delete;
  LinkHistory& operator=(const LinkHistory&) = delete;
  ~LinkHistory() { clear(); }

  void add(const LinkNews& news, LinkBudget& budget, TimePoint now);
  /// Forgets what is older than kKept.
  void expire(TimePoint now);
  void clear();
  const std::map<Key, Link>& links() const { return links_; }

 private:
  void keep(Link& link, TimePoint now);

  LinkBudget* budget_ = nullptr;  ///< of the first add()
  std::map<Key, Link> links_;
};

}  // namespace wormhole
