#include "rest_conditions.hpp"

#include <algorithm>

namespace wormhole {

bool matches(std::string_view field, const std::optional<std::string>& etag, bool weak) {
  if (!etag) return false;
  if (field == "*") return true;
  while (!field.empty()) {
    field.remove_prefix(std::min(field.find_first_not_of(", \t"), field.size()));
    const bool is_weak = field.starts_with("W/");
    const std::size_t open = is_weak ? 2 : 0;
    if (field.size() <= open || field[open] != '"') return false;
    const std::size_t close = field.find('"', open + 1);
    if (close == field.npos) return false;
    if (field.substr(open, close + 1 - open) == *etag && (weak || !is_weak)) return true;
    field.remove_prefix(close + 1);
  }
  return false;
}

bool Preconditions::hold(const std::optional<std::string>& etag) const {
  if (!if_match.empty() && !matches(if_match, etag, false)) return false;
  return if_none_match.empty() || !matches(if_none_match, etag, true);
}

}  // namespace wormhole
