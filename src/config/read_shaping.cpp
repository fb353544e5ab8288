// What a flow asks of a full uplink: `priority`, `max_age` and `rate`.
#include <charconv>
#include <cmath>

#include "config/flow_options.hpp"
#include "config/key_path.hpp"

namespace wormhole {
namespace {

/// Shorter than the pause between two packets of a slow flow, everything would be dropped.
constexpr double kLeastAgeMs = 10;
/// Fits the wire's 16 bits; and who drives by what is a minute old does not.
constexpr double kMostAgeMs = 60'000;
/// One packet of 1,200 bytes in 1.2 s.
constexpr double kLeastRate = 8e3;
constexpr double kMostRate = 10e9;

struct Unit {
  std::string_view suffix;
  double factor;
};

/// A decimal number with one of the units behind it, in which longer ones come first.
template <std::size_t N>
std::optional<double> parse_quantity(std::string_view text, const Unit (&units)[N]) {
  for (const auto& unit : units) {
    if (!text.ends_with(unit.suffix)) continue;
    text.remove_suffix(unit.suffix.size());
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

Priority read_priority(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "high, normal or low";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "normal") return Priority::kNormal;
  if (*text == "high") return Priority::kHigh;
  if (*text == "low") return Priority::kLow;
  add_error(errors, value, quoted(*text) + " is not a priority; expected " + kExpected);
  return Priority::kNormal;
}

std::uint16_t read_max_age(const Value& value, ErrorList& errors) {
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}};
  constexpr auto kExpected = "a time from 10ms to 60s like 200ms";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return 0;
  const auto age = parse_quantity(*text, kUnits);
  if (age && *age >= kLeastAgeMs && *age <= kMostAgeMs) {
    return static_cast<std::uint16_t>(std::lround(*age));
  }
  add_error(errors, value, quoted(*text) + " is none; expected " + kExpected);
  return 0;
}

std::uint32_t read_rate(const Value& value, ErrorList& errors) {
  constexpr Unit kUnits[] = {{"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
  constexpr auto kExpected = "bits a second from 8k to 10G like 500k or 2.5M";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return 0;
  const auto rate = parse_quantity(*text, kUnits);
  if (rate && *rate >= kLeastRate && *rate <= kMostRate) {
    return static_cast<std::uint32_t>(std::lround(*rate / 1e3));
  }
  add_error(errors, value, quoted(*text) + " is no rate; expected " + kExpected);
  return 0;
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
  if (const auto value = map.find("max_age")) flow.max_age_ms = read_max_age(*value, errors);
  if (const auto value = map.find("rate")) flow.rate_kbps = read_rate(*value, errors);
}

}  // namespace wormhole
