// What an impaired link does to datagrams, in netem's vocabulary (tc-netem(8),
// net/sched/sch_netem.c of Linux): plain values. What each option means to people:
// docs/impairment.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wormhole {

/// A share or a correlation as netem counts them: 2^32 - 1 is 100 %.
using Share = std::uint32_t;
inline constexpr Share kWhole = 0xffffffff;

/// How jitter is spread around the delay.
enum class Spreading : std::uint8_t {
  kUniform = 0,       ///< delay ± jitter
  kNormal = 1,        ///< jitter is the standard deviation, cut off at four of them
  kPareto = 2,        ///< a long tail: 4/3 × (u^(-1/3) - 1.5) × jitter, cut off at four of it
  kParetoNormal = 3,  ///< a quarter of the normal one and three of Pareto's
  kTable = 4          ///< by a table from a file in netem's format
};

/// netem's NETEM_DIST_SCALE: this value of a table moves a datagram by one jitter.
inline constexpr int kTableScale = 8192;
/// netem's NETEM_DIST_MAX.
inline constexpr std::size_t kMostTableValues = 16384;

/// Values of a distribution, in units of jitter / kTableScale; each is as likely as the others.
/// Shared, because many flows use one; never changed.
struct JitterTable {
  std::shared_ptr<const std::vector<std::int16_t>> values;
  bool operator==(const JitterTable& other) const {
    return values == other.values || (values && other.values && *values == *other.values);
  }
};

/// Something that befalls a share of the datagrams, each one's luck depending on the last one's.
struct Chance {
  Share share = 0;
  Share correlation = 0;
  bool operator==(const Chance&) const = default;
};

struct ImpairProfile {
  enum class Loss : std::uint8_t { kNone = 0, kRandom = 1, kState = 2, kGemodel = 3 };
  /// Datagrams gather and leave together: a coarse picture of WiFi, LTE and DOCSIS.
  struct Slot {
    enum class Kind : std::uint8_t { kNone = 0, kRange = 1, kSpread = 2 };
    Kind kind = Kind::kNone;
    std::uint32_t min_us = 0;  ///< kRange: to the next slot, uniform up to max_us
    std::uint32_t max_us = 0;
    std::uint32_t delay_us = 0;  ///< kSpread: to the next slot, spread by jitter_us
    std::uint32_t jitter_us = 0;
    Spreading spreading = Spreading::kUniform;
    JitterTable table;
    std::uint32_t packets = 0;  ///< most in one slot; 0: all
    std::uint32_t bytes = 0;
    bool operator==(const Slot&) const = default;
  };
  /// Not netem's: the link falls silent for the last `length_us` of each `every_us`, as satellites
  /// do that hand over. What would leave then waits for its end, or is lost.
  struct Handover {
    std::uint32_t every_us = 0;  ///< 0: none
    std::uint32_t length_us = 0;
    Share loss = 0;
    bool operator==(const Handover&) const = default;
  };

  std::string name;  ///< for people; empty when it was written where it is used

  Loss loss_model = Loss::kNone;
  /// kRandom: share, correlation. kState: p13, p31, p32, p23, p14. kGemodel: p, r, 1-h, 1-k.
  std::array<Share, 5> loss{};

  std::uint32_t delay_us = 0;
  std::uint32_t jitter_us = 0;
  Share delay_correlation = 0;
  Spreading spreading = Spreading::kUniform;
  JitterTable table;

  Chance duplicate;
  Chance reorder;
  std::uint32_t gap = 0;  ///< 0: nothing is reordered

  Chance corrupt;
  std::uint16_t corrupt_from = 0;     ///< the first byte that may be altered …
  std::uint16_t corrupt_to = 0xffff;  ///< … and the last one

  std::uint64_t rate_bps = 0;        ///< bits a second; 0: no limit
  std::int32_t packet_overhead = 0;  ///< bytes that each datagram is longer on the link
  std::uint32_t cell_size = 0;       ///< bytes of payload; 0: no cells
  std::int32_t cell_overhead = 0;    ///< bytes that each cell is longer

  Slot slot;
  std::uint32_t limit = 1000;  ///< datagrams held at most (netem's default)
  std::optional<std::uint64_t> seed;
  Handover handover;

  bool operator==(const ImpairProfile&) const = default;
};

inline constexpr std::uint32_t kMostDelayUs = 60'000'000;
inline constexpr std::uint32_t kMostLimit = 100'000;
inline constexpr std::uint64_t kLeastRate = 1'000;           ///< a byte takes 8 ms
inline constexpr std::uint64_t kMostRate = 100'000'000'000;  ///< a byte takes 80 ps
inline constexpr std::int32_t kMostOverhead = 1'000;         ///< either way; no link has more
inline constexpr std::uint32_t kMostCell = 65'535;

/// What contradicts itself or is out of range, in words that end an error's sentence ("p13 and p14
/// are more than 100 % together"); empty when the profile can be used.
std::string what_is_wrong(const ImpairProfile& profile);

/// The values of a distribution with a table, sorted; empty for kUniform.
std::span<const std::int16_t> table_of(Spreading spreading, const JitterTable& own);

}  // namespace wormhole
