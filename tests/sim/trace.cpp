#include "sim/trace.hpp"

#include <algorithm>
#include <cstdio>

namespace wormhole::sim {

const char* to_string(What what) {
  switch (what) {
    case What::kSent:
      return "sent";
    case What::kArrived:
      return "arrived";
    case What::kLost:
      return "lost";
    case What::kQueueFull:
      return "queue full";
    case What::kTooBig:
      return "too big";
    case What::kLinkDown:
      return "link down";
    case What::kDuplicated:
      return "duplicated";
    case What::kCorrupted:
      return "corrupted";
    case What::kFiltered:
      return "filtered";
    case What::kNobody:
      return "nobody there";
    case What::kTtlOver:
      return "ttl over";
    case What::kSwallowed:
      return "swallowed";
    case What::kAppSent:
      return "app sent";
    case What::kAppGot:
      return "app got";
    case What::kTimeout:
      return "timeout";
    case What::kStarted:
      return "started";
    case What::kKilled:
      return "killed";
  }
  return "?";
}

void Trace::mix(std::uint64_t value) {
  hash_ = (hash_ ^ value) * 0x100000001b3U;  // FNV prime, a word at a time
}

void Trace::add(const TraceEvent& event) {
  mix(static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
  mix(static_cast<std::uint64_t>(event.what) << 8 | event.type);
  mix(std::hash<Endpoint>{}(event.from));
  mix(std::hash<Endpoint>{}(event.to));
  mix(event.size);
  if (ring_.size() < kKept) {
    ring_.push_back(event);
  } else {
    ring_[count_ % kKept] = event;
  }
  ++count_;
}

std::string Trace::tail(std::size_t most, TimePoint start) const {
  std::string text;
  const auto shown =
      std::min({static_cast<std::uint64_t>(most), count_, static_cast<std::uint64_t>(kKept)});
  for (auto i = count_ - shown; i < count_; ++i) {
    const auto& event = ring_[i % kKept];
    char line[160];
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(event.at - start).count();
    std::snprintf(line, sizeof line, "%12.3f ms  %-12s type 0x%02x %5zu B  ",
                  static_cast<double>(us) / 1000, to_string(event.what), event.type, event.size);
    text += line + event.from.to_string() + " -> " + event.to.to_string() + '\n';
  }
  return text;
}

}  // namespace wormhole::sim
