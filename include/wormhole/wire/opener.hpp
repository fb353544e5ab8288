// Openers: datagrams that open mappings and filters between two clients before, or beside, a sealed
// path (docs/protocol.md, section 7). They validate nothing: a genuine one only makes its source a
// candidate.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

/// Known to two clients and their server, which made it: it keeps strangers out, and no more.
using ProbeKey = std::array<std::uint8_t, 16>;

struct Opener {
  ClientNo from;
  ClientNo to;
  std::uint32_t campaign = 0;  ///< 0: sent with the roster, outside of any campaign
  std::uint64_t nonce = 0;     ///< random, so that no two are alike
  bool operator==(const Opener&) const = default;
};

/// type 1, zero 3, from 2, to 2, campaign 4, nonce 8, MAC 16.
inline constexpr std::size_t kOpenerSize = 36;

std::array<std::uint8_t, kOpenerSize> encode(const Opener& opener, const ProbeKey& key);
/// Whom an opener says it is from and to; nothing when it is none. Not yet authentic.
std::optional<Opener> read_opener(Bytes datagram);
/// Whether it was made with `key`.
bool check_opener(Bytes datagram, const ProbeKey& key);

}  // namespace wormhole
