#include "wormhole/punch/words.hpp"

namespace wormhole {

std::string_view words(Strategy strategy) {
  switch (strategy) {
    case Strategy::kRelay:
      return "relay";
    case Strategy::kDirect:
      return "direct";
    case Strategy::kCone:
      return "cone";
    case Strategy::kBirthday:
      return "birthday";
    case Strategy::kRange:
      return "range";
    case Strategy::kSequential:
      return "sequential";
    case Strategy::kRangePair:
      return "range-pair";
  }
  return "relay";
}

}  // namespace wormhole
