#include "config/error_list.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace wormhole {

void ErrorList::add(Place place, std::string path, std::string message) {
  if (!full()) {
    errors_.push_back({file_, place.line, place.column, std::move(path), std::move(message)});
  }
  ++count_;
}

std::vector<ConfigError> ErrorList::take() {
  const auto place = [](const ConfigError& e) { return std::tie(e.line, e.column); };
  std::stable_sort(
      errors_.begin(), errors_.end(),
      [&place](const ConfigError& a, const ConfigError& b) { return place(a) < place(b); });
  if (count_ > errors_.size()) {
    const auto more = std::to_string(count_ - errors_.size());
    errors_.push_back({file_, 0, 0, "", "and " + more + " more"});
  }
  return std::move(errors_);
}

std::string ConfigError::to_string() const {
  std::string text = file + ":";
  if (line != 0) text += std::to_string(line) + ":" + std::to_string(column) + ":";
  if (!path.empty()) text += " " + path + ":";
  return text + " " + message;
}

}  // namespace wormhole
