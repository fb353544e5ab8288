// What the server holds of one client.
#pragma once

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

#include "server/link_history.hpp"
#include "server/member_port.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/server/plan.hpp"
#include "wormhole/session/control_stream.hpp"
#include "wormhole/session/session_slots.hpp"
#include "wormhole/wire/nat_report.hpp"

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

/// Whom the frames of one group of a client go to, in the order of their tags.
struct RelayGroup {
  struct Receiver {
    ClientNo number;
    std::optional<Permission> allowed;  ///< nothing: not any more
  };
  FlowNo flow;
  std::vector<Receiver> receivers;
  std::uint64_t plan = 0;  ///< the number of the plan that `allowed` is of
  ReplayWindow window;     ///< a replay here would be sent on many times
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
  std::map<FlowNo, std::vector<std::uint8_t>> told_impairs;
  std::map<FlowNo, std::uint16_t> told_ports;  ///< relay ports, without those taken away
  std::map<FlowNo, std::vector<std::uint8_t>> told_offers;
  std::vector<std::uint8_t> told_settings;  ///< PunchSettings
  std::vector<std::uint8_t> told_streams;   ///< StreamSettings
  /// PeerAddress, of peers that are online.
  std::map<ClientNo, std::vector<std::uint8_t>> told_addresses;
  std::unordered_map<std::uint16_t, RelayGroup> groups;  ///< by the client's number for them
  NatReport nat;                                         ///< its own word (NatNews)
  std::size_t delayed_probes = 0;                        ///< answers that it waits for
};

struct ClientRecord {
  std::string id;
  ClientNo number;
  std::optional<KeyBinding> binding;
  bool p2p = true;                   ///< as its peers have been told
  const ClientPlan* plan = nullptr;  ///< never null outside set_plan
  SessionSlots<HopSession> sessions;
  std::optional<Association> association;  ///< of the newest process, also while it is away
  /// Processes that a newer one has replaced; they must not come back.
  std::deque<std::uint64_t> superseded;
  std::vector<Source> sources;    ///< its entries in the relay's table
  std::vector<MemberPort> ports;  ///< one for each of plan->flows
  bool tends_ports = false;       ///< some port is in use, or a flow was relayed since the sweep
  /// Until when its changes of membership are paid for: see kMembershipPause.
  TimePoint membership_paid{};
  /// The same for turns to punch: see kCampaignPause.
  TimePoint campaigns_paid{};
  std::uint64_t relayed_packets = 0;
  std::uint64_t relayed_bytes = 0;
  LinkHistory links;  ///< its own word; kept over its restarts

  bool is_online() const { return association && association->online; }
};

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
