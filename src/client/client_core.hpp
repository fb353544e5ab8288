// The inside of Client: the owner of hop link, peers and flows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/flow_table.hpp"
#include "client/memberships.hpp"
#include "client/nat_watch.hpp"
#include "client/puncher.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/hop/hop_link.hpp"
#include "wormhole/peer/peer.hpp"
#include "wormhole/peer/reassembly.hpp"

namespace wormhole {

struct Client::Core {
  struct PeerEntry {
    std::unique_ptr<Peer> peer;
    bool named = false;               ///< in the server's snapshot under way
    PathKind said = PathKind::kNone;  ///< what the log says last
    PathAddress said_at;              ///< of a direct path
    bool lead = false;                ///< we are the newer one
  };
  /// A peer whose key is not accepted.
  struct Distrusted {
    std::string id;
    std::string reason;
    bool named = false;
  };
  struct Drops {
    std::uint64_t unexpected_source = 0;
    std::uint64_t unknown_opener = 0;
    std::uint64_t no_flow = 0;  ///< opened for no flow, or not allowed to send to us there
    std::uint64_t unknown_peer = 0;
    std::uint64_t unreadable_peer =
        0;  ///< announcements that contradict each other or exceed limits
  };

  Core(ClientConfig client_config, Rng& random);

  // Data path.
  /// A frame of a peer; `path`: how it came, null by the relay.
  void on_peer_frame(const NetDatagram& datagram, const PathAddress* path, TimePoint now,
                     ClientOutbox& out);
  void on_opener(SocketNo socket, const NetDatagram& datagram, TimePoint now, ClientOutbox& out);
  void deliver(FlowPort& flow, ClientNo from, Bytes text, TimePoint now, Outbox& out);
  void send(FlowPort& flow, MutBytes text, TimePoint now, ClientOutbox& out);
  void send_to_one(FlowPort& flow, ClientNo peer, MutBytes text, TimePoint now, ClientOutbox& out);
  void send_to_peer(FlowPort& flow, std::uint16_t slot, MutBytes text, TimePoint now,
                    ClientOutbox& out);

  // Control.
  void handle_events(TimePoint now, ClientOutbox& out);
  void on_event(const HopConnected& event, TimePoint now, ClientOutbox& out);
  void on_event(const HopRefused& event, TimePoint now, ClientOutbox& out);
  void on_event(const HopClosed& event, TimePoint now, ClientOutbox& out);
  void on_event(const HopHandshake& event, TimePoint now, ClientOutbox& out);
  void on_event(const HopWantsResolve& event, TimePoint now, ClientOutbox& out);
  void on_event(const HopProbeAnswered& event, TimePoint now, ClientOutbox& out);
  void on_event(const RelayPortChange& event, TimePoint now, ClientOutbox& out);
  void on_event(const StreamMessage& event, TimePoint now, ClientOutbox& out);
  void on_message(const PeerPut& message, TimePoint now, ClientOutbox& out);
  void on_message(const PeerRemove& message, TimePoint now, ClientOutbox& out);
  void on_message(const FlowPut& message, TimePoint now, ClientOutbox& out);
  void on_message(const FlowRemove& message, TimePoint now, ClientOutbox& out);
  void on_message(const Sync& message, TimePoint now, ClientOutbox& out);
  void on_message(const EnrolAnswer& message, TimePoint now, ClientOutbox& out);
  void on_message(const RelayPort& message, TimePoint now, ClientOutbox& out);
  void on_message(const FlowOffer& message, TimePoint now, ClientOutbox& out);
  void on_message(const FlowOfferRemove& message, TimePoint now, ClientOutbox& out);
  void on_message(const MembershipAnswer& message, TimePoint now, ClientOutbox& out);
  void on_message(const MembershipRequest& message, TimePoint now, ClientOutbox& out);
  void on_message(const EnrolRequest& message, TimePoint now, ClientOutbox& out);
  void on_message(const PeerAddress& message, TimePoint now, ClientOutbox& out);
  void on_message(const PunchSettings& message, TimePoint now, ClientOutbox& out);
  void on_message(const NatNews& message, TimePoint now, ClientOutbox& out);
  void on_message(const CampaignAsk& message, TimePoint now, ClientOutbox& out);
  void on_message(const CampaignTurn& message, TimePoint now, ClientOutbox& out);

  // Peers.
  Peer* peer_numbered(ClientNo number);
  Peer* peer_at(std::uint16_t slot) {
    return slot < peers.size() ? peers[slot].peer.get() : nullptr;
  }
  /// As many as a network can have members. A pin is for ever, so their number needs an end.
  static constexpr std::size_t kMaxPins = 65'535;
  /// Why this binding is not accepted; nothing when it is. A signed one is then pinned.
  std::optional<std::string> distrust(const KeyBinding& binding, ClientOutbox& out);
  std::optional<std::uint16_t> add_peer(const KeyBinding& binding);
  void remove_peer(ClientNo number, TimePoint now, ClientOutbox& out);
  void relink();
  /// After anything that may have changed a peer: tells the puncher and the log.
  void tend_peer(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  /// After anything that may have changed what is known of the NAT, or who wants to know it.
  void tend_nat(TimePoint now, ClientOutbox& out);
  void set_path_settings();
  void say_peer_changes(std::uint16_t slot, Outbox& out);
  void end(Refused::Reason reason, std::string message, ClientOutbox& out);

  void touch(const Peer& peer) { deadline = std::min(deadline, peer.next_deadline()); }
  TimePoint recomputed_deadline() const;

  ClientConfig config;
  Rng& rng;
  PeerContext context;
  HopLink hop;
  FlowTable flows;
  Memberships memberships;
  NatWatch nat;
  Reassembly reassembly;
  WaitingBudget waiting;
  std::vector<PeerEntry> peers;                           // by slot
  std::unordered_map<ClientNo, std::uint16_t> by_number;  // → slot
  std::map<ClientNo, Distrusted> distrusted;
  Puncher puncher;
  PathSettings path_settings;
  std::vector<HopEvent> events;
  bool in_snapshot = false;
  bool ended = false;
  TimePoint deadline = kNever;
  Drops drops;
};

}  // namespace wormhole
