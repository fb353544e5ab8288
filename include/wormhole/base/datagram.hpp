// Datagrams on their way through the core, by reference: the shell owns the memory.
#pragma once

#include <cstddef>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

/// Writable bytes in front of each application datagram, so that the frame header is prepended in
/// place: 12 header + 8 fragment, rounded up to one cache line.
inline constexpr std::size_t kHeadroom = 64;
/// Writable bytes behind each application datagram: 16 tag + 8 × 16 group receiver tags + 4 hop
/// tag, rounded up to a cache line.
inline constexpr std::size_t kTailroom = 192;

/// One datagram from the network. `bytes` may be changed in place (opening, relaying) and stays
/// valid until the outbox of the same call has been emptied.
struct NetDatagram {
  Endpoint from;
  MutBytes bytes;
};

/// One datagram from an application, with kHeadroom and kTailroom writable bytes around `bytes`.
/// Valid until the outbox of the same call has been emptied.
struct AppDatagram {
  Endpoint from;
  MutBytes bytes;
};

}  // namespace wormhole
