// The relay: look up the sender by its source, check the hop tag and the permission, forward by
// reference.
#include "server/server_core.hpp"

namespace wormhole {
namespace {

bool tag_fits(const HopSession* session, const Source& source, Bytes header, Bytes tag) {
  if (session == nullptr || !(session->source == source)) return false;
  return equal_secret(hop_tag(session->relay_key, header), tag);
}

}  // namespace

void Server::Core::relay(SocketNo socket, const NetDatagram& datagram, Outbox& out) {
  constexpr std::size_t kShortest = kHeaderSize + kTagSize + kHopTagSize;
  const auto header = read_header(datagram.bytes);
  if (!header || datagram.bytes.size() < kShortest || (header->flags & ~kFlagFragment) != 0) {
    ++counters.malformed;
    return;
  }
  const Source source{socket, datagram.from};
  const auto at = by_source.find(source);
  if (at == by_source.end()) {
    ++counters.relay_unknown_source;
    return;
  }
  auto& sender = *at->second;
  const auto frame = datagram.bytes.first(datagram.bytes.size() - kHopTagSize);
  const auto tag = datagram.bytes.last(kHopTagSize);
  const auto covered = frame.first(kHeaderSize);
  if (!tag_fits(sender.sessions.current(), source, covered, tag) &&
      !tag_fits(sender.sessions.previous(), source, covered, tag)) {
    ++counters.relay_bad_tag;
    return;
  }
  const auto to = client_of(header->index);
  if (!sender.may_send.contains(permission(to, header->flow))) {
    ++counters.relay_not_allowed;
    return;
  }
  auto* receiver = numbered(to);
  auto* session =
      receiver != nullptr && receiver->is_online() ? receiver->sessions.current() : nullptr;
  if (session == nullptr) {
    ++counters.relay_receiver_offline;
    return;
  }
  ++counters.relayed;
  ++sender.relayed_packets;
  sender.relayed_bytes += frame.size();
  out.net(session->source.socket, session->source.endpoint, frame);
}

}  // namespace wormhole
