// Which news of links are worth telling: to applications at once, to the server now and then.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wormhole/client/link_change.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

/// One link (no flow), or one flow (no peer), as it stands now.
struct LinkRow {
  ClientNo peer;
  PathKind way = PathKind::kNone;
  FlowNo flow;
  std::string name;  ///< the peer's ID, or the flow's name
  LinkState state;
};

/// Compares what links are with what was told of them.
class LinkWatch {
 public:
  /// How often the links are looked at while something is sent: soon against the 250 ms that a
  /// verdict takes at least.
  static constexpr Duration kLook = 100ms;
  /// While the verdict stays `limit`, a capacity that has moved by more than kMoved is told so
  /// often: an encoder follows within a second or so.
  static constexpr Duration kCapacityPause = 500ms;
  static constexpr double kMoved = 0.05;
  /// What the server hears of a link in use: an operator looks at minutes.
  static constexpr Duration kReportEvery = 5s;
  /// Messages to the server in one look (12 kB a second at most); the rest waits for the next.
  static constexpr std::size_t kMostReports = 16;

  struct News {
    std::vector<LinkChange> changes;
    std::vector<LinkNews> reports;  ///< for the server
    bool active = false;            ///< look again after kLook
  };
  /// `report`: whether there is a server to tell.
  News look(std::span<const LinkRow> rows, bool report, TimePoint now);
  /// The server's memory may have gone: it hears of all links in use again.
  void tell_anew();

 private:
  struct Key {
    ClientNo peer;
    PathKind way;
    FlowNo flow;
    auto operator<=>(const Key&) const = default;
  };
  struct Told {
    std::string name;
    LinkVerdict verdict = LinkVerdict::kAppLimited;
    double capacity_bps = 0;
    TimePoint at{};
    std::optional<LinkVerdict> reported{};  ///< nothing: never, or to a server that has forgotten
    TimePoint reported_at{};
    bool reported_idle = true;
    bool seen = false;
  };

  static bool is_news(const LinkState& state, const Told& told, TimePoint now);
  static bool is_report_due(const LinkState& state, const Told& told, TimePoint now);
  void take(const Key& key, Told& told, const LinkState& state, bool report, TimePoint now,
            News& news);

  std::map<Key, Told> told_;
};

}  // namespace wormhole
