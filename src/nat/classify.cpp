#include "nat/classify.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace wormhole {
namespace {

/// Ports that NATs give away (RFC 4787, REQ-3: not below 1024).
constexpr std::uint32_t kFirstPort = 1024;
constexpr std::uint32_t kLastPort = 65535;
constexpr double kPorts = kLastPort - kFirstPort + 1.0;

/// Below this, chance can look like a rule: four random ports within a block of 512 look sequential
/// once in 1,000 times, five once in 7,000.
constexpr std::size_t kFewestSamples = 5;
/// A range wants more: see kMistake.
constexpr std::size_t kFewestForRange = 8;
/// Steps between two of our mappings on average, of which the others are foreign: the mappings are
/// made within a few ms, so that this allows for a thousand foreign ones a second. The probability
/// that n random ports of a range of B look sequential is below n (W / B)^(n - 1) for each step,
/// W = kStepsBetween (n - 1), and steps up to B / W can occur: with n = 7 and B = 512, 2e-6.
constexpr std::uint32_t kStepsBetween = 4;
constexpr std::uint32_t kLargestStep = 4096;
/// How often random ports over all 64,512 may be taken for a range: n of them lie within some w
/// with a probability below n (w / 64512)^(n - 1), so w is chosen for this. n = 8 gives w = 9,200,
/// and a block of 2,048 or 4,096 never exceeds that.
constexpr double kMistake = 1e-5;

std::uint32_t widest_range(std::size_t samples) {
  const auto n = static_cast<double>(samples);
  return static_cast<std::uint32_t>(kPorts * std::pow(kMistake / n, 1 / (n - 1)));
}

/// Whether more pairs of mappings ascend than descend: survives some that overtook others.
bool ascends(const std::vector<std::uint16_t>& fresh) {
  int balance = 0;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    for (std::size_t k = i + 1; k < fresh.size(); ++k) balance += fresh[k] > fresh[i] ? 1 : -1;
  }
  return balance > 0;
}

/// The first port after the counter's return from its end to its beginning, or the end. Unless a
/// step is huge, no other two mappings in a row are so far apart, and a return shows once only.
std::vector<std::uint16_t>::const_iterator after_wrap(const std::vector<std::uint16_t>& fresh) {
  constexpr int kFar = static_cast<int>(kStepsBetween * kLargestStep);
  const auto far = [](std::uint16_t a, std::uint16_t b) { return std::abs(a - b) > kFar; };
  const auto first = std::adjacent_find(fresh.begin(), fresh.end(), far);
  if (first == fresh.end()) return fresh.end();
  return std::adjacent_find(first + 1, fresh.end(), far) == fresh.end() ? first + 1 : fresh.end();
}

/// The order matters for the sign alone. The step is the greatest common divisor of all
/// differences: foreign mappings in between make some of them larger, by whole steps.
std::optional<PortPattern> sequential(const std::vector<std::uint16_t>& fresh) {
  if (fresh.size() < kFewestSamples) return std::nullopt;
  auto sorted = fresh;
  std::sort(sorted.begin(), sorted.end());
  std::uint32_t step = 0;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    step = std::gcd(step, static_cast<std::uint32_t>(sorted[i] - sorted[i - 1]));
  }
  const auto span = static_cast<std::uint32_t>(sorted.back() - sorted.front());
  const auto most = kStepsBetween * static_cast<std::uint32_t>(sorted.size() - 1);
  if (step == 0 || step > kLargestStep || span / step > most) return std::nullopt;
  PortPattern pattern{PortAllocation::kSequential};
  const bool up = ascends(fresh);
  pattern.step = static_cast<std::int16_t>(up ? static_cast<int>(step) : -static_cast<int>(step));
  pattern.newest = up ? sorted.back() : sorted.front();
  pattern.low = sorted.front();
  pattern.high = sorted.back();
  return pattern;
}

/// The longer run of a counter that wrapped tells the step; the newest mapping is in the later one.
std::optional<PortPattern> wrapped(const std::vector<std::uint16_t>& fresh) {
  const auto wrap = after_wrap(fresh);
  if (wrap == fresh.end()) return std::nullopt;
  const std::vector<std::uint16_t> before(fresh.begin(), wrap);
  const std::vector<std::uint16_t> after(wrap, fresh.end());
  const bool later = after.size() > before.size();
  auto pattern = sequential(later ? after : before);
  if (!pattern) return std::nullopt;
  const bool up = pattern->step > 0;
  // It returns to where it came from.
  if ((before.back() > after.front()) != up) return std::nullopt;
  const auto [low, high] = std::minmax_element(after.begin(), after.end());
  const int most = std::abs(pattern->step) * static_cast<int>(kStepsBetween * fresh.size());
  if (*high - *low > most || (*high - *low) % pattern->step != 0) return std::nullopt;
  pattern->newest = up ? *high : *low;
  pattern->low = *low;
  pattern->high = *high;
  return pattern;
}

/// The smallest block of 2^k ports that holds [low, high], as carriers cut them: counted from 0 or
/// from the first port.
std::pair<std::uint32_t, std::uint32_t> block_around(std::uint32_t low, std::uint32_t high) {
  for (std::uint32_t size = 64; size <= 65536; size *= 2) {
    for (const std::uint32_t base : {0U, kFirstPort}) {
      const auto first = low - (low - base) % size;
      if (high < first + size) return {first, first + size - 1};
    }
  }
  return {kFirstPort, kLastPort};
}

/// n ports at random within S have a span of S (n - 1) / (n + 1) on average. A block that is not
/// much larger than that is taken for the truth; else both ends are widened by a mean gap.
PortPattern within(std::uint32_t low, std::uint32_t high, std::size_t samples) {
  const auto span = high - low + 1;
  const auto gaps = static_cast<std::uint32_t>(samples - 1);
  const auto expected = span * (gaps + 2) / gaps;
  auto [first, last] = block_around(low, high);
  if (last - first + 1 > 2 * expected) {
    first = std::max(low - std::min(low, span / gaps), std::min(low, kFirstPort));
    last = std::min(high + span / gaps, kLastPort);
  }
  PortPattern pattern{PortAllocation::kRange};
  pattern.low = static_cast<std::uint16_t>(first);
  pattern.high = static_cast<std::uint16_t>(std::min(last, kLastPort));
  return pattern;
}

}  // namespace

NatMapping classify_mapping(const SeenOfMain& seen) {
  const auto differ = [&](std::size_t a, std::size_t b) {
    return seen[a] && seen[b] && *seen[a] != *seen[b];
  };
  const auto compared = [&](std::size_t a, std::size_t b) { return seen[a] && seen[b]; };
  if (differ(0, 1) || differ(2, 3)) return NatMapping::kAddressAndPortDependent;
  const bool ports = compared(0, 1) || compared(2, 3);
  for (std::size_t a = 0; a < 2; ++a) {
    for (std::size_t b = 2; b < 4; ++b) {
      if (!differ(a, b)) continue;
      return ports ? NatMapping::kAddressDependent : NatMapping::kAddressAndPortDependent;
    }
  }
  const auto count = std::count_if(seen.begin(), seen.end(), [](const auto& s) { return s; });
  return count >= 2 ? NatMapping::kEndpointIndependent : NatMapping::kUnknown;
}

PortPattern classify_ports(const std::vector<std::uint16_t>& fresh,
                           const std::vector<std::uint16_t>& all) {
  if (const auto pattern = sequential(fresh)) return *pattern;
  if (const auto pattern = wrapped(fresh)) return *pattern;
  auto ports = all;
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  if (ports.size() < kFewestSamples) return {};
  const auto span = static_cast<std::uint32_t>(ports.back() - ports.front()) + 1;
  if (ports.size() >= kFewestForRange && span <= widest_range(ports.size())) {
    return within(ports.front(), ports.back(), ports.size());
  }
  return {PortAllocation::kRandom};
}

}  // namespace wormhole
