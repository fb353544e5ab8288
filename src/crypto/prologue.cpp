#include "crypto/byte_writer.hpp"
#include "wormhole/crypto/handshake.hpp"

namespace wormhole {

std::vector<std::uint8_t> hop_prologue(const NetworkId& network) {
  return ByteWriter().text("wormhole/1 hop").bytes(network).take();
}

std::vector<std::uint8_t> e2e_prologue(const NetworkId& network, std::string_view initiator,
                                       std::string_view responder) {
  return ByteWriter().text("wormhole/1 e2e").bytes(network).lp(initiator).lp(responder).take();
}

}  // namespace wormhole
