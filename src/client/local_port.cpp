#include "client/local_port.hpp"

#include <algorithm>

namespace wormhole {

void LocalPort::on_result(const std::string& problem, TimePoint now) {
  open = problem.empty();
  error = problem;
  retry_at = open ? kNever : now + retry_after;
  retry_after = open ? kRetryFirst : std::min(retry_after * 2, kRetryMost);
}

void LocalPort::on_closed() {
  open = false;
  error.clear();
  retry_at = kNever;
  retry_after = kRetryFirst;
}

std::optional<IpAddress> peer_address(const IpAddress& bind, ClientNo peer) {
  constexpr unsigned kFree = 256;  // 127.K.0.*
  const unsigned host = peer.value + kFree;
  const auto k = bind.bytes.back();
  if (bind != IpAddress::v4(127, 1, 0, k) || k == 0 || host > 0xffff) return std::nullopt;
  return IpAddress::v4(127, k, static_cast<std::uint8_t>(host >> 8U),
                       static_cast<std::uint8_t>(host & 0xffU));
}

}  // namespace wormhole
