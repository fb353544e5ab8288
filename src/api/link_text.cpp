#include "link_text.hpp"

#include <charconv>
#include <cmath>

namespace wormhole {
namespace {

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

std::string_view verdict_name(LinkVerdict verdict) {
  switch (verdict) {
    case LinkVerdict::kAppLimited:
      return "app_limited";
    case LinkVerdict::kClear:
      return "clear";
    case LinkVerdict::kLimit:
      return "limit";
    case LinkVerdict::kLossy:
      return "lossy";
  }
  return "app_limited";
}

std::string_view path_name(PathKind path) {
  switch (path) {
    case PathKind::kNone:
      return "none";
    case PathKind::kRelay:
      return "relay";
    case PathKind::kDirect:
      return "direct";
  }
  return "none";
}

void append_number(std::string& out, double number) {
  const double rounded = std::round(number * 1000) / 1000;
  char text[32];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, rounded, std::chars_format::fixed);
  out.append(text, error == std::errc{} ? end : text);
}

void append_state(std::string& out, const LinkState& state) {
  const auto rate = [&out](std::string_view name, double bps) {
    out.append(",\"").append(name).append("\":").append(std::to_string(std::llround(bps)));
  };
  out.append("\"state\":\"").append(verdict_name(state.verdict)).append("\",\"age_s\":");
  append_number(out, std::chrono::duration<double>(state.age).count());
  out += ",\"confidence\":";
  append_number(out, state.confidence);
  rate("capacity_bps", state.capacity_bps);
  rate("offered_bps", state.offered_bps);
  rate("sent_bps", state.sent_bps);
  rate("delivered_bps", state.delivered_bps);
  out += ",\"queue_ms\":";
  append_number(out, milliseconds(state.queue_delay));
  out += ",\"loss\":";
  append_number(out, state.loss);
  out += ",\"rtt_ms\":";
  if (state.rtt) {
    append_number(out, milliseconds(*state.rtt));
  } else {
    out += "null";
  }
}

}  // namespace wormhole
