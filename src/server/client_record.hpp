// What the server holds of one client.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/member_port.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/session/control_stream.hpp"
#include "wormhole/session/session_slots.hpp"

namespace wormhole {

struct SourceHash {
  std::size_t operator()(const Source& source) const noexcept {
    return std::hash<Endpoint>{}(source.endpoint) + source.socket.value;
  }
};

/// A hop session as the server sees it. The source is where the newest authentic frame came from.
struct HopSession : Session {
  HopSession(const TransportKeys& keys, std::uint32_t local_index, std::uint32_t remote_index,
             TimePoint born)
      : Session(keys, Role::kResponder, local_index, remote_index, born),
        relay_key(hop_tag_key(keys.receive)) {}
  HopTagKey relay_key;
  Source source;
  std::uint64_t newest = 0;  ///< highest counter that has told the source
  std::uint64_t boot_id = 0;
  std::uint32_t attempt = 0;
};

/// One process of a client: identified by its boot id. Its control stream outlives its sessions.
struct Association {
  std::uint64_t boot_id = 0;
  std::uint32_t attempt = 0;  ///< the highest that opened a session: smaller ones are replays
  ControlStream stream;
  bool online = false;
  TimePoint since{};
  TimePoint last_heard{};
  /// What the client has been told, by object: the whole message. A change is a difference to this.
  std::map<ClientNo, std::vector<std::uint8_t>> told_peers;
  std::map<FlowNo, std::vector<std::uint8_t>> told_flows;
  std::map<FlowNo, std::uint16_t> told_ports;  ///< relay ports, without those taken away
};

struct ClientRecord {
  std::string id;
  ClientNo number;
  std::optional<KeyBinding> binding;
  SessionSlots<HopSession> sessions;
  std::optional<Association> association;  ///< of the newest process, also while it is away
  /// Processes that a newer one has replaced; they must not come back.
  std::deque<std::uint64_t> superseded;
  std::vector<Source> sources;  ///< its entries in the relay's table
  std::vector<ClientNo> peers;  ///< clients that share a flow with it
  /// Whom it may send to on which flow: receiver's number << 16 | flow number; flow 0 for every
  /// peer.
  std::unordered_map<std::uint32_t, Permission> may_send;
  std::vector<MemberPort> ports;  ///< one for each of its flows, by flow number
  bool tends_ports = false;       ///< some port is in use, or a flow was relayed since the sweep
  std::uint64_t relayed_packets = 0;
  std::uint64_t relayed_bytes = 0;

  /// Where in `ports` the flow's is. Contract: the client is a member of it.
  std::uint16_t port_position(FlowNo flow) const {
    const auto at = std::lower_bound(ports.begin(), ports.end(), flow,
                                     [](const MemberPort& p, FlowNo f) { return p.flow < f; });
    return static_cast<std::uint16_t>(at - ports.begin());
  }
  bool is_online() const { return association && association->online; }
};

constexpr std::uint32_t permission(ClientNo receiver, FlowNo flow) {
  return static_cast<std::uint32_t>(receiver.value) << 16 | flow.value;
}

/// A stranger who holds an invite: a hop session with nothing but a control stream.
struct Enrolment {
  SessionSlots<HopSession> sessions;
  PublicKey key;
  ControlStream stream;
  TimePoint since{};
  std::optional<std::uint64_t> ticket;  ///< being stored
  KeyBinding binding;
};

}  // namespace wormhole
