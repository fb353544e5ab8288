// Live state for REST, made at most ten times a second however often it is asked for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "wormhole/base/time.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole {

class StatusCache {
 public:
  /// Callers see 100 ms as live; a state of 10,000 clients takes some 10 ms to write.
  static constexpr Duration kMaxAge = 100ms;

  explicit StatusCache(std::function<ServerStatus()> status) : ask_(std::move(status)) {}

  /// status_json with "age_ms", how old it is, in front.
  std::string whole(TimePoint now);
  /// The client's row alike; nothing when there is no such client.
  std::optional<std::string> client(const std::string& id, TimePoint now);

 private:
  void refresh(TimePoint now);
  std::string with_age(const std::string& object, TimePoint now) const;

  std::function<ServerStatus()> ask_;
  std::optional<TimePoint> taken_;
  ServerStatus status_;
  std::unordered_map<std::string, std::size_t> row_of_;
  std::string text_;  ///< status_json of status_; empty until somebody asks for it
};

}  // namespace wormhole
