// What a flow asks of a full uplink: `priority`, `max_age` and `rate`.
#include "config/flow_options.hpp"
#include "config/key_path.hpp"
#include "config/quantities.hpp"

namespace wormhole {
namespace {

/// Shorter than the pause between two packets of a slow flow, everything would be dropped.
constexpr std::uint32_t kLeastAgeUs = 10'000;
/// Fits the wire's 16 bits of ms; and who drives by what is a minute old does not.
constexpr std::uint32_t kMostAgeUs = 60'000'000;
/// One packet of 1,200 bytes in 1.2 s.
constexpr std::uint64_t kLeastFlowRate = 8'000;
constexpr std::uint64_t kMostFlowRate = 10'000'000'000;

Priority read_priority(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "high, normal or low";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "normal") return Priority::kNormal;
  if (*text == "high") return Priority::kHigh;
  if (*text == "low") return Priority::kLow;
  add_error(errors, value, quoted(*text) + " is not a priority; expected " + kExpected);
  return Priority::kNormal;
}

}  // namespace

void read_shaping(const MapReader& map, Flow& flow, ErrorList& errors) {
  if (const auto value = map.find("priority")) flow.priority = read_priority(*value, errors);
  for (const auto* key : {"max_age", "rate"}) {
    const auto value = map.find(key);
    if (!value || flow.protocol == Protocol::kUdp) continue;
    add_error(errors, *value,
              "is for UDP flows, a TCP flow waits instead of losing; expected priority alone");
  }
  if (flow.protocol != Protocol::kUdp) return;
  if (const auto value = map.find("max_age")) {
    const auto age = read_microseconds(*value, kLeastAgeUs, kMostAgeUs, errors).value_or(0);
    flow.max_age_ms = static_cast<std::uint16_t>((age + 500) / 1000);
  }
  if (const auto value = map.find("rate")) {
    const auto rate = read_bit_rate(*value, kLeastFlowRate, kMostFlowRate, errors).value_or(0);
    flow.rate_kbps = static_cast<std::uint32_t>((rate + 500) / 1000);
  }
}

}  // namespace wormhole
