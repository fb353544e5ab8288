// What TCP flows have beside their routes, and what both protocols keep apart.
#include <array>
#include <charconv>

#include "config/flow_options.hpp"
#include "config/key_path.hpp"
#include "config/sections.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 1> kDefaultKeys{"congestion"};
constexpr std::array<std::string_view, 2> kTcpKeys{"copy_buffer", "proxy_protocol"};
/// A read of a socket, and what 1,000 receivers at once could hold with 16 GB.
constexpr std::uint32_t kLeastCopyBuffer = 16 * 1024;
constexpr std::uint32_t kMostCopyBuffer = 16 * 1024 * 1024;

/// "65536", "64KiB" or "1MiB".
std::optional<std::uint32_t> parse_size(std::string_view text) {
  std::uint32_t unit = 1;
  for (const auto& [suffix, bytes] :
       {std::pair<std::string_view, std::uint32_t>{"KiB", 1024}, {"MiB", 1024 * 1024}}) {
    if (!text.ends_with(suffix)) continue;
    text.remove_suffix(suffix.size());
    unit = bytes;
  }
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (count > kMostCopyBuffer / unit) return std::nullopt;
  return count * unit;
}

Fanout read_fanout(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "pick or copy (relay, direct and auto are for UDP flows)";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "pick") return Fanout::kPick;
  if (*text == "copy") return Fanout::kCopy;
  add_error(errors, value, quoted(*text) + " is not a fanout; expected " + kExpected);
  return Fanout::kPick;
}

Spread read_spread(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "relay, direct or auto (pick and copy are for TCP flows)";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "auto") return Spread::kAuto;
  if (*text == "relay") return Spread::kRelay;
  if (*text == "direct") return Spread::kDirect;
  add_error(errors, value, quoted(*text) + " is not a fanout; expected " + kExpected);
  return Spread::kAuto;
}

void read_copy_buffer(const Value& value, Flow& flow, ErrorList& errors) {
  constexpr auto kExpected = "a size from 16KiB to 16MiB";
  if (flow.fanout != Fanout::kCopy) {
    return add_error(errors, value,
                     "is how far a receiver may be behind; expected fanout: copy beside it");
  }
  const auto text = read_text(value, kExpected, errors);
  if (!text) return;
  const auto size = parse_size(*text);
  if (size && *size >= kLeastCopyBuffer) {
    flow.copy_buffer = *size;
    return;
  }
  add_error(errors, value, quoted(*text) + " is none; expected " + kExpected);
}

void read_tcp(const MapReader& map, Flow& flow, ErrorList& errors) {
  if (const auto value = map.find("fanout")) flow.fanout = read_fanout(*value, errors);
  if (const auto value = map.find("copy_buffer")) read_copy_buffer(*value, flow, errors);
  if (const auto value = map.find("proxy_protocol")) {
    flow.proxy_protocol = read_switch(*value, errors);
  }
}

}  // namespace

void read_protocol_options(const MapReader& map, const Population& population, Flow& flow,
                           ErrorList& errors) {
  // `deliver` and `target` are one thing in two words: which one stands here says the protocol.
  const bool udp = flow.protocol == Protocol::kUdp;
  if (const auto value = map.find(udp ? "deliver" : "target")) {
    read_handover(*value, population, flow, errors);
  }
  if (const auto value = map.find(udp ? "target" : "deliver")) {
    add_error(errors, *value,
              udp ? "is where the streams of a TCP flow go; expected deliver in a UDP flow"
                  : "is where the datagrams of a UDP flow go; expected target in a TCP flow");
  }
  if (!udp) return read_tcp(map, flow, errors);
  if (const auto value = map.find("fanout")) flow.spread = read_spread(*value, errors);
  for (const auto key : kTcpKeys) {
    const auto value = map.find(key);
    if (value) add_error(errors, *value, "is for TCP flows; expected protocol: tcp beside it");
  }
}

Defaults read_defaults(const Value& section, ErrorList& errors) {
  Defaults defaults;
  const MapReader map(section, kDefaultKeys, errors);
  const auto value = map.find("congestion");
  if (!value) return defaults;
  constexpr auto kExpected = "bbr or cubic";
  const auto text = read_text(*value, kExpected, errors);
  if (!text || *text == "bbr") return defaults;
  if (*text == "cubic") {
    defaults.congestion = CongestionControl::kCubic;
  } else {
    add_error(errors, *value, quoted(*text) + " is no congestion control; expected " + kExpected);
  }
  return defaults;
}

}  // namespace wormhole
