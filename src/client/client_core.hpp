// The inside of Client: the owner of hop link, peers and flows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/flow_table.hpp"
#include "client/link_watch.hpp"
#include "client/memberships.hpp"
#include "client/nat_watch.hpp"
#include "client/puncher.hpp"
#include "client/tcp_table.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/group/heard_groups.hpp"
#include "wormhole/hop/hop_link.hpp"
#include "wormhole/peer/peer.hpp"
#include "wormhole/peer/reassembly.hpp"
#include "wormhole/shaper/shaper.hpp"
#include "wormhole/shaper/uplink_control.hpp"

namespace wormhole {

struct Client::Core {
  static constexpr std::size_t index_of(Way which) { return which == Way::kDirect ? 1 : 0; }
  struct PeerEntry {
    std::unique_ptr<Peer> peer;
    bool named = false;               ///< in the server's snapshot under way
    PathKind said = PathKind::kNone;  ///< what the log says last
    PathAddress said_at;              ///< of a direct path
    bool lead = false;                ///< we are the newer one
    HeardGroups groups;               ///< of its flows, that we receive
    std::uint64_t group_boot = 0;     ///< the process of it that ours were made with
    /// By way, see index_of: what waits here for it, and what UDP flows have sent lately.
    struct Demand {
      double unsent_bps = 0;
      bool waits = false;
    };
    std::array<Demand, 2> demand{};
    std::array<double, 2> flows_bps{};
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
  void on_stream_frame(std::uint16_t slot, const FrameHeader& header, MutBytes frame,
                       const PathAddress* path, TimePoint now, ClientOutbox& out);
  void flush_streams(TimePoint now, ClientOutbox& out);
  void on_opener(SocketNo socket, const NetDatagram& datagram, TimePoint now, ClientOutbox& out);
  void on_group_frame(const NetDatagram& datagram, TimePoint now, ClientOutbox& out);
  void hand_over(FlowPort& flow, std::uint16_t slot, std::uint8_t flags, Bytes text, TimePoint now,
                 Outbox& out);
  void deliver(FlowPort& flow, ClientNo from, Bytes text, TimePoint now, Outbox& out);
  // Impaired flows (client_impair.cpp).
  void impair(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch, TimePoint now,
              ClientOutbox& out);
  void impair_apart(FlowPort& flow, Bytes text, TimePoint now, ClientOutbox& out);
  void send_to_each(FlowPort& flow, const std::vector<ClientNo>& receivers, Bytes text,
                    TimePoint now, ClientOutbox& out);
  void release_impaired(FlowPort& flow, TimePoint now, ClientOutbox& out);
  void serve_impairments(TimePoint now, ClientOutbox& out);
  void tend_impairments(TimePoint now, ClientOutbox& out);
  void set_impairment(FlowPort& flow, std::vector<ImpairPart> parts, TimePoint now,
                      ClientOutbox& out);
  void end_impair_snapshot(TimePoint now, ClientOutbox& out);

  void send(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch, TimePoint now,
            ClientOutbox& out);
  void upload(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch, TimePoint now,
              ClientOutbox& out);
  void send_to_all(FlowPort& flow, std::span<const AppDatagram> batch, TimePoint now,
                   ClientOutbox& out);
  void send_to_peer(FlowPort& flow, std::uint16_t slot, MutBytes text, TimePoint now,
                    ClientOutbox& out);

  // A full uplink (client_uplink.cpp).
  void shape(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch, TimePoint now,
             ClientOutbox& out);
  void run_shaper(TimePoint now, ClientOutbox& out);
  void datagram_turn(const ShaperTurn& turn, TimePoint now, ClientOutbox& out);
  void stream_turn(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  UplinkClass stream_class(std::uint16_t slot) const;
  void serve_uplink(TimePoint now, ClientOutbox& out);
  void tend_uplink(TimePoint now, ClientOutbox& out);
  void forget_uplink(TimePoint now);
  void mark_queues();
  void collect_ways(TimePoint now);
  void note_demand(TimePoint now);
  void add_demand(const FlowPort& flow, bool waits, TimePoint now);
  double uploads_per_copy() const;
  bool sends_datagrams() const;

  // One upload for several receivers (client_groups.cpp).
  /// What serves a flow to several receivers now; null: each is sent to alone. `longest`: of the
  /// datagrams that are about to go, bytes.
  FlowGroups* groups_of(FlowPort& flow, std::size_t longest, TimePoint now);
  std::size_t group_room(const Group& group);
  void send_by_group(FlowPort& flow, Group& group, MutBytes text, TimePoint now, ClientOutbox& out);
  void seal_for_group(FlowPort& flow, Group& group, MutBytes text, std::uint8_t flags,
                      TimePoint now, ClientOutbox& out);
  void note_group_use(const FlowGroups& groups, std::size_t longest, TimePoint now);
  bool may_be_grouped(const FlowPort& flow, const Peer& peer, bool is_now) const;
  void choose_receivers(FlowPort& flow);
  /// After anything that may have changed who is served how, and when it is due.
  void tend_groups(TimePoint now, ClientOutbox& out);
  void on_group_items(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  void on_group_keys(std::uint16_t slot, const GroupKey& keys, TimePoint now, ClientOutbox& out);
  void on_group_ack(std::uint16_t slot, const GroupKeyAck& ack);

  // What the links carry (client_links.cpp).
  SentBy sent_by(std::uint16_t slot, Way which);
  void on_feedback(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  /// Nothing: no report has come lately.
  std::optional<LinkState> way_state(std::uint16_t slot, Way which, TimePoint now);
  std::vector<LinkStatus> links(TimePoint now);
  /// What all flows together send by each way: before link_of().
  void note_loads(TimePoint now);
  std::optional<LinkState> link_of(const FlowPort& flow, TimePoint now);
  bool goes_by(const FlowPort& flow, std::uint16_t slot, Way which, TimePoint now) const;
  double load_of(std::uint16_t slot, Way which, const LinkState& way) const;
  static bool is_grouped(const FlowPort& flow, std::uint16_t slot);
  /// Something may have become known of a link.
  void wake_links(TimePoint now) { links_due = std::min(links_due, now + LinkWatch::kLook); }
  void tend_links(TimePoint now, ClientOutbox& out);

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
  void on_message(const StreamSettings& message, TimePoint now, ClientOutbox& out);
  void on_message(const NatNews& message, TimePoint now, ClientOutbox& out);
  void on_message(const CampaignAsk& message, TimePoint now, ClientOutbox& out);
  void on_message(const CampaignTurn& message, TimePoint now, ClientOutbox& out);
  void on_message(const GroupPut& message, TimePoint now, ClientOutbox& out);
  void on_message(const GroupAnswer& message, TimePoint now, ClientOutbox& out);
  void on_message(const FlowImpair& message, TimePoint now, ClientOutbox& out);
  void on_message(const LinkNews& message, TimePoint now, ClientOutbox& out);

  // Peers.
  Peer* peer_numbered(ClientNo number);
  std::optional<std::uint16_t> slot_of(ClientNo number) const {
    const auto at = by_number.find(number);
    return at == by_number.end() ? std::nullopt : std::optional(at->second);
  }
  Peer* peer_at(std::uint16_t slot) {
    return slot < peers.size() ? peers[slot].peer.get() : nullptr;
  }
  /// As many as a network can have members. A pin is for ever, so their number needs an end.
  static constexpr std::size_t kMaxPins = 65'535;
  /// Why this binding is not accepted; nothing when it is. A signed one is then pinned.
  std::optional<std::string> distrust(const KeyBinding& binding, ClientOutbox& out);
  std::optional<std::uint16_t> add_peer(const KeyBinding& binding);
  void remove_peer(ClientNo number, TimePoint now, ClientOutbox& out);
  void relink(TimePoint now, ClientOutbox& out);
  /// Each peer has stream connections for the TCP flows that it shares with us.
  void want_streams(TimePoint now);
  /// After anything that may have changed a peer: tells the puncher and the log.
  void tend_peer(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  /// After anything that may have changed what is known of the NAT, or who wants to know it.
  void tend_nat(TimePoint now, ClientOutbox& out);
  void tend_hop(TimePoint now, ClientOutbox& out);
  void set_path_settings();
  void say_peer_changes(std::uint16_t slot, ClientOutbox& out);
  void end(Refused::Reason reason, std::string message, ClientOutbox& out);

  void touch(const Peer& peer) { deadline = std::min(deadline, peer.next_deadline()); }
  TimePoint recomputed_deadline() const;

  ClientConfig config;
  Rng& rng;
  PeerContext context;
  HopLink hop;
  HeldPool held_pool;  // of impaired flows
  FlowTable flows;
  TcpTable tcp;
  Memberships memberships;
  Shaper shaper;
  UplinkControl uplink;
  std::vector<UplinkWay> ways;  // of the call under way
  std::uint64_t uploaded = 0;   // by the shaper's turns, bytes of IP packets
  NatWatch nat;
  Reassembly reassembly;
  WaitingBudget waiting;
  std::vector<PeerEntry> peers;                           // by slot
  std::unordered_map<ClientNo, std::uint16_t> by_number;  // → slot
  std::map<ClientNo, Distrusted> distrusted;
  Puncher puncher;
  PathSettings path_settings;
  std::vector<HopEvent> events;
  std::vector<GroupAction> group_actions;  // of the call under way
  std::uint16_t next_group;
  std::uint32_t group_fragments;  // the number of the last datagram sent to a group in fragments
  bool groups_changed = false;
  TimePoint groups_due = kNever;
  std::vector<std::uint8_t> impair_pieces;  // of the FlowImpair messages under way
  FlowNo impaired_flow;
  TimePoint impair_due = kNever;
  std::vector<SentSource> sources;  // of the call under way
  LinkWatch link_watch;
  TimePoint links_due = kNever;
  Congestion congestion = Congestion::kBbr;
  bool was_connected = false;  // the hop, when it was looked at last
  bool in_snapshot = false;
  bool ended = false;
  TimePoint deadline = kNever;
  Drops drops;
};

}  // namespace wormhole
