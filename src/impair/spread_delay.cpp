#include "wormhole/impair/spread_delay.hpp"

#include <algorithm>
#include <cmath>

namespace wormhole {
namespace {

/// As many values as netem's own tables have.
constexpr std::size_t kValues = 4096;

using Values = std::array<std::int16_t, kValues>;

/// A value of a table: `jitters` in netem's scale, cut off where 16 bits end.
std::int16_t scaled(double jitters) {
  return static_cast<std::int16_t>(std::lround(std::clamp(jitters * kTableScale, -32768., 32767.)));
}

/// The inverse of the normal distribution, by bisection: 60 steps are more than a double holds.
double normal_quantile(double share) {
  double low = -10;
  double high = 10;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// Pareto's distribution with the shape 3, less its mean of 1.5; 4/3 is netem's scale
/// (iproute2, netem/pareto.c).
double pareto_quantile(double share) { return (std::pow(1 - share, -1.0 / 3) - 1.5) * 4 / 3; }

template <typename Quantile>
Values make_table(Quantile quantile) {
  Values values{};
  for (std::size_t i = 0; i < kValues; ++i) {
    values[i] = scaled(quantile((static_cast<double>(i) + 0.5) / kValues));
  }
  return values;
}

}  // namespace

std::span<const std::int16_t> table_of(Spreading spreading, const JitterTable& own) {
  static const Values normal = make_table(normal_quantile);
  static const Values pareto = make_table(pareto_quantile);
  static const Values pareto_normal = make_table([](double share) {
    const double tail = std::min(pareto_quantile(share), 32767.0 / kTableScale);
    return (normal_quantile(share) + 3 * tail) / 4;
  });
  switch (spreading) {
    case Spreading::kUniform:
      return {};
    case Spreading::kNormal:
      return normal;
    case Spreading::kPareto:
      return pareto;
    case Spreading::kParetoNormal:
      return pareto_normal;
    case Spreading::kTable:
      return own.values ? std::span<const std::int16_t>(*own.values)
                        : std::span<const std::int16_t>();
  }
  return {};
}

SpreadDelay::SpreadDelay(std::uint32_t delay_us, std::uint32_t jitter_us, Spreading spreading,
                         const JitterTable& table)
    : delay_us_(delay_us),
      jitter_us_(jitter_us),
      table_(jitter_us == 0 ? std::span<const std::int16_t>() : table_of(spreading, table)) {}

/// netem takes the number modulo the table's size (or twice the jitter), by which correlation gets
/// lost; scaled, it is kept. Without correlation both are the same.
Duration SpreadDelay::at(std::uint32_t rolled) const {
  const std::uint64_t number = rolled;
  std::int64_t offset_ns = 0;
  if (jitter_us_ != 0 && table_.empty()) {
    // In steps that fit 64 bits: 2^32 × 2 minutes in µs, then in ns.
    const auto part = number * static_cast<std::uint64_t>(2 * jitter_us_) >> 16;
    offset_ns = static_cast<std::int64_t>(part * 1000 >> 16) - jitter_us_ * 1000;
  } else if (jitter_us_ != 0) {
    offset_ns = jitter_us_ * 1000 * table_[number * table_.size() >> 32] / kTableScale;
  }
  return Duration{std::max<std::int64_t>(0, delay_us_ * 1000 + offset_ns)};
}

}  // namespace wormhole
