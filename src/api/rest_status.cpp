#include "rest_status.hpp"

#include "wormhole/api/status.hpp"

namespace wormhole {

std::string StatusCache::whole(TimePoint now) {
  refresh(now);
  if (text_.empty()) text_ = status_json(status_);
  return with_age(text_, now);
}

std::optional<std::string> StatusCache::client(const std::string& id, TimePoint now) {
  refresh(now);
  const auto row = row_of_.find(id);
  if (row == row_of_.end()) return std::nullopt;
  return with_age(status_json(status_.clients[row->second]), now);
}

void StatusCache::refresh(TimePoint now) {
  if (taken_ && now - *taken_ < kMaxAge) return;
  taken_ = now;
  status_ = ask_();
  text_.clear();
  row_of_.clear();
  for (std::size_t i = 0; i < status_.clients.size(); ++i) row_of_[status_.clients[i].id] = i;
}

std::string StatusCache::with_age(const std::string& object, TimePoint now) const {
  return "{\"age_ms\":" + std::to_string(to_ms(now - *taken_)) + "," + object.substr(1);
}

}  // namespace wormhole
