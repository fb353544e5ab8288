// What libngtcp2 calls: each finds its Connection again and hands the matter on.
#pragma once

#include "stream/ngtcp2_compat.hpp"

namespace wormhole::quic {

ngtcp2_callbacks make_callbacks();

}  // namespace wormhole::quic
