// The relay: look up the sender by its source, check the hop tag and the permission, forward by
// reference.
#include "server/server_core.hpp"

namespace wormhole {
namespace {

/// `source` unset: it is a relay port's, which belongs to the client whatever its session.
bool tag_fits(const HopSession* session, const Source* source, Bytes header, Bytes tag) {
  if (session == nullptr || (source != nullptr && !(session->source == *source))) return false;
  return equal_secret(hop_tag(session->relay_key, header), tag);
}

}  // namespace

/// Who has sent this, if the hop tag is right.
ClientRecord* Server::Core::relay_sender(const Source& source, Bytes header, Bytes tag) {
  const auto at = by_source.find(source);
  if (at == by_source.end()) {
    ++counters.relay_unknown_source;
    return nullptr;
  }
  auto& sender = *at->second;
  const auto* own = pool.owns(source.socket) ? nullptr : &source;
  if (!tag_fits(sender.sessions.current(), own, header, tag) &&
      !tag_fits(sender.sessions.previous(), own, header, tag)) {
    ++counters.relay_bad_tag;
    return nullptr;
  }
  return &sender;
}

/// Null when it can't be reached (counted).
HopSession* Server::Core::receiving_session(ClientRecord* receiver) {
  auto* session =
      receiver != nullptr && receiver->is_online() ? receiver->sessions.current() : nullptr;
  if (session == nullptr) ++counters.relay_receiver_offline;
  return session;
}

void Server::Core::relay(SocketNo socket, const NetDatagram& datagram, TimePoint now, Outbox& out) {
  constexpr std::size_t kShortest = kHeaderSize + kTagSize + kHopTagSize;
  const auto header = read_header(datagram.bytes);
  constexpr std::uint8_t kFlags = kFlagFragment | kFlagStream;
  if (!header || datagram.bytes.size() < kShortest || (header->flags & ~kFlags) != 0) {
    ++counters.malformed;
    return;
  }
  const Source source{socket, datagram.from};
  const auto frame = datagram.bytes.first(datagram.bytes.size() - kHopTagSize);
  auto* sender = relay_sender(source, frame.first(kHeaderSize), datagram.bytes.last(kHopTagSize));
  if (sender == nullptr) return;
  const auto to = client_of(header->index);
  const auto allowed = sender->plan->may_send.find(permission(to, header->flow));
  if (allowed == sender->plan->may_send.end()) {
    ++counters.relay_not_allowed;
    return;
  }
  auto* receiver = numbered(to);
  auto* session = receiving_session(receiver);
  if (session == nullptr) return;
  ++counters.relayed;
  ++sender->relayed_packets;
  sender->relayed_bytes += frame.size();
  const auto& way = way_to(*receiver, *session, *sender, allowed->second, source, now);
  out.net(way.socket, way.endpoint, frame);
}

/// Notes that the flow is relayed, and by which of the receiver's sources.
const Source& Server::Core::way_to(ClientRecord& receiver, const HopSession& session,
                                   ClientRecord& sender, const Permission& permission,
                                   const Source& from, TimePoint now) {
  if (permission.sender_place == Permission::kNone) return session.source;
  auto& mine = sender.ports[permission.sender_place];
  auto& theirs = receiver.ports[permission.receiver_place];
  sender.tends_ports = receiver.tends_ports = true;
  mine.relayed = theirs.relayed = true;
  if (mine.hears_until != TimePoint::min() && mine.source == from) {
    mine.hears_until = now + MemberPort::kHeardFor;
  }
  if (now >= theirs.hears_until) return session.source;
  ++counters.relayed_by_port;
  return theirs.source;
}

}  // namespace wormhole
