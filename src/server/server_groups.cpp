// One upload for several receivers: whom a group's frames go to, and their fan-out by reference.
#include <algorithm>

#include "server/server_core.hpp"

namespace wormhole {

void Server::Core::relay_group(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                               Outbox& out) {
  constexpr std::size_t kShortest = kHeaderSize + kTagSize + kHopTagSize;
  const auto header = read_header(datagram.bytes);
  if (!header || datagram.bytes.size() < kShortest || (header->flags & ~kFlagFragment) != 0) {
    ++counters.malformed;
    return;
  }
  const Source source{socket, datagram.from};
  const auto frame = datagram.bytes.first(datagram.bytes.size() - kHopTagSize);
  auto* sender = relay_sender(source, frame.first(kHeaderSize), datagram.bytes.last(kHopTagSize));
  if (sender == nullptr || !sender->association) return;
  auto& groups = sender->association->groups;
  const auto at = groups.find(static_cast<std::uint16_t>(header->index & 0xffffU));
  if (client_of(header->index) != sender->number || at == groups.end() ||
      at->second.flow != header->flow ||
      frame.size() < kHeaderSize + kTagSize + at->second.receivers.size() * kReceiverTagSize) {
    ++counters.group_unknown;
    return;
  }
  // The hop tag covers the counter, so the window can be trusted before the seal.
  if (!at->second.window.commit(header->counter)) {
    ++counters.group_replayed;
    return;
  }
  ++counters.group_uploads;
  forward_group(*sender, at->second, frame, source, now, out);
}

void Server::Core::forward_group(ClientRecord& sender, RelayGroup& group, MutBytes frame,
                                 const Source& source, TimePoint now, Outbox& out) {
  check_receivers(sender, group);
  const auto tags = group.receivers.size() * kReceiverTagSize;
  const auto body = frame.first(frame.size() - tags);
  auto tag = frame.last(tags);
  body[0] = static_cast<std::uint8_t>(FrameType::kGroupDown);
  ++sender.relayed_packets;
  for (const auto& receiver : group.receivers) {
    const auto own = tag.first(kReceiverTagSize);
    tag = tag.subspan(kReceiverTagSize);
    if (std::equal(own.begin(), own.end(), kNoReceiverTag.begin())) continue;  // not for it
    if (!receiver.allowed) {
      ++counters.relay_not_allowed;
      continue;
    }
    auto* client = numbered(receiver.number);
    auto* session = receiving_session(client);
    if (session == nullptr) continue;
    ++counters.relayed;
    sender.relayed_bytes += body.size() + own.size();
    const auto& way = way_to(*client, *session, sender, *receiver.allowed, source, now);
    out.net_with_tail(way.socket, way.endpoint, body, own);
  }
}

/// A reload may have changed who may hear whom.
void Server::Core::check_receivers(const ClientRecord& sender, RelayGroup& group) const {
  if (group.plan == plan->number) return;
  group.plan = plan->number;
  for (auto& receiver : group.receivers) {
    const auto allowed = sender.plan->may_send.find(permission(receiver.number, group.flow));
    receiver.allowed =
        allowed == sender.plan->may_send.end() ? std::nullopt : std::optional(allowed->second);
  }
}

void Server::Core::on_group_put(ClientRecord& client, const GroupPut& message, TimePoint now,
                                Outbox& out) {
  client.association->groups.erase(message.group);
  if (message.receivers.empty()) return;
  const bool ready = put_group(client, message);
  if (!ready) ++counters.group_refused;
  push(client, encode(GroupAnswer{message.group, ready}), now, out);
  flush(client, now, out);
}

bool Server::Core::put_group(ClientRecord& client, const GroupPut& message) {
  auto& groups = client.association->groups;
  if (groups.size() >= kMaxGroups || group_count >= kMaxGroupsOfAll) return false;
  RelayGroup group;
  group.flow = message.flow;
  for (const auto number : message.receivers) group.receivers.push_back({number, std::nullopt});
  check_receivers(client, group);
  const bool all = std::all_of(group.receivers.begin(), group.receivers.end(),
                               [](const auto& receiver) { return receiver.allowed.has_value(); });
  if (!all) return false;
  groups.emplace(message.group, std::move(group));
  ++group_count;
  return true;
}

std::size_t Server::Core::groups_of_all() const {
  std::size_t sum = 0;
  for (const auto& [id, client] : clients) {
    if (client->association) sum += client->association->groups.size();
  }
  return sum;
}

}  // namespace wormhole
