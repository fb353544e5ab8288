#include <algorithm>
#include <array>
#include <charconv>

#include "config/key_path.hpp"
#include "config/sections.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 8> kP2pKeys{
    "preset",    "strategies", "sockets",   "probes",
    "open_rate", "probe_rate", "keepalive", "campaigns_per_address"};
constexpr std::array<std::string_view, 2> kStrategyKeys{"forbid", "force"};
constexpr std::array<std::string_view, 2> kRateKeys{"from", "to"};

/// A campaign's sockets have so many numbers.
constexpr unsigned kMostSockets = 256;
/// The largest that is known to leave routers alive (docs/nat-traversal.md).
constexpr unsigned kMostProbes = 2048;
constexpr unsigned kMostPerSecond = 10'000;
/// 16 × 256 mappings: what routers survive at most; a carrier's NAT has many customers' worth.
constexpr unsigned kMostCampaigns = 16;

std::uint16_t read_count(const MapReader& map, std::string_view key, std::uint16_t usual,
                         unsigned most, ErrorList& errors) {
  const auto value = map.find(key);
  if (!value) return usual;
  const auto expected = "a number from 1 to " + std::to_string(most);
  const auto text = read_text(*value, expected, errors);
  if (!text) return usual;
  unsigned number = 0;
  const auto* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error == std::errc{} && rest == end && number >= 1 && number <= most) {
    return static_cast<std::uint16_t>(number);
  }
  add_error(errors, *value, quoted(*text) + " is none; expected " + expected);
  return usual;
}

/// What can be named: "relay" is none.
std::uint8_t read_strategy(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "direct, cone, birthday, range, sequential or range-pair";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return 0;
  const auto at = std::find(kStrategyNames.begin() + 1, kStrategyNames.end(), *text);
  if (at != kStrategyNames.end()) return static_cast<std::uint8_t>(at - kStrategyNames.begin());
  add_error(errors, value, quoted(*text) + " is not a strategy; expected " + kExpected);
  return 0;
}

void read_strategies(const Value& value, P2pSettings& settings, ErrorList& errors) {
  MapReader map(value, kStrategyKeys, errors);
  const auto forbid = map.find("forbid");
  const auto force = map.find("force");
  if (forbid && force) {
    add_error(errors, *force, "stands beside forbid; expected one of the two");
  }
  if (force) settings.forced = read_strategy(*force, errors);
  if (!forbid) return;
  for (const auto& item : list_items(*forbid, "a list of strategies", errors)) {
    const auto strategy = read_strategy(item, errors);
    if (strategy != 0) {
      settings.forbidden = static_cast<std::uint16_t>(settings.forbidden | 1U << strategy);
    }
  }
}

/// Read first: the keys beside it go before it.
void read_preset(const Value& value, P2pSettings& settings, ErrorList& errors) {
  const auto text = read_text(value, "polite", errors);
  if (!text) return;
  if (*text != "polite") {
    add_error(errors, value, quoted(*text) + " is not a preset; expected polite");
    return;
  }
  settings = kPoliteP2p;
}

void read_probe_rate(const Value& value, P2pSettings& settings, ErrorList& errors) {
  const MapReader map(value, kRateKeys, errors);
  settings.probe_rate_from =
      read_count(map, "from", settings.probe_rate_from, kMostPerSecond, errors);
  settings.probe_rate_to = read_count(map, "to", settings.probe_rate_to, kMostPerSecond, errors);
  if (settings.probe_rate_from > settings.probe_rate_to) {
    add_error(errors, value, "falls; expected from to be at most to");
  }
}

bool read_keepalive(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "strict or idle";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "idle") return false;
  if (*text != "strict") {
    add_error(errors, value, quoted(*text) + " is not a keepalive; expected " + kExpected);
  }
  return true;
}

}  // namespace

P2pSettings read_p2p(const Value& section, ErrorList& errors) {
  P2pSettings settings;
  const MapReader map(section, kP2pKeys, errors);
  if (const auto preset = map.find("preset")) read_preset(*preset, settings, errors);
  if (const auto value = map.find("strategies")) read_strategies(*value, settings, errors);
  settings.sockets = read_count(map, "sockets", settings.sockets, kMostSockets, errors);
  settings.probes = read_count(map, "probes", settings.probes, kMostProbes, errors);
  settings.open_rate = read_count(map, "open_rate", settings.open_rate, kMostPerSecond, errors);
  settings.campaigns_per_address = read_count(
      map, "campaigns_per_address", settings.campaigns_per_address, kMostCampaigns, errors);
  if (const auto value = map.find("probe_rate")) read_probe_rate(*value, settings, errors);
  if (const auto value = map.find("keepalive")) {
    settings.strict_keepalive = read_keepalive(*value, errors);
  }
  return settings;
}

bool read_switch(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "on or off";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "on") return true;
  if (*text != "off") {
    add_error(errors, value, quoted(*text) + " is no switch; expected " + kExpected);
  }
  return false;
}

}  // namespace wormhole
