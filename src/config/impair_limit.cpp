#include "config/impair_limit.hpp"

namespace wormhole {
namespace {

/// A sender may be told all of them by its control stream, which holds 4 MiB: these are 1.2 MiB.
constexpr std::size_t kMostImpaired = 4096;
constexpr std::size_t kMostValues = std::size_t{1} << 18;

}  // namespace

std::string excess_of_impairments(const std::vector<Flow>& flows) {
  std::size_t impaired = 0;
  std::size_t values = 0;
  const auto count = [&](const Impairment& impairment) {
    for (const auto& way : {impairment.forward, impairment.back}) {
      if (!way) continue;
      ++impaired;
      for (const auto& table : {way->table, way->slot.table}) {
        if (table.values) values += table.values->size();
      }
    }
  };
  for (const auto& flow : flows) {
    count(flow.impair);
    for (const auto& route : flow.routes) {
      if (route.impair) count(*route.impair);
    }
  }
  if (impaired > kMostImpaired) {
    return "has " + std::to_string(impaired) + " impaired ways; expected at most " +
           std::to_string(kMostImpaired);
  }
  if (values <= kMostValues) return "";
  return "has impairments with " + std::to_string(values) + " values of tables; expected at most " +
         std::to_string(kMostValues) + " in all";
}

}  // namespace wormhole
