// The inside of Server: the owner of the clients' records, their sessions and the relay's tables.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/campaign_leases.hpp"
#include "server/client_record.hpp"
#include "server/port_pool.hpp"
#include "wormhole/crypto/cookie.hpp"
#include "wormhole/server/server.hpp"
#include "wormhole/wire/handshake_payload.hpp"

namespace wormhole {

struct Server::Core {
  /// INITs a second that pass MAC1 before cookies are asked for: 5 % of a core at 250 µs each.
  static constexpr std::uint64_t kFreeInits = 200;
  /// Strangers enrolling at once; the oldest makes way.
  static constexpr std::size_t kMaxEnrolments = 64;
  static constexpr Duration kEnrolmentLife = 30s;
  /// A client pings at least every 2 s, and every 250 ms when an answer is missing.
  static constexpr Duration kOfflineAfter = 5s;
  static constexpr Duration kSweep = 500ms;
  static constexpr std::size_t kMaxSuperseded = 8;
  /// Each turn of the control streams asks all clients: while 10,000 connect, one for each deadline
  /// of theirs would be all that the server does. Retransmission takes 200 ms and more anyway.
  static constexpr Duration kStreamTurn = 10ms;
  /// Relay ports opened in one sweep: 20 µs each, so that the loop stands still for 1.3 ms at most.
  static constexpr unsigned kOpensPerSweep = 64;
  /// A change of membership writes routes.yaml: one in 2 s from one client, five at once.
  static constexpr Duration kMembershipPause = 2s;
  static constexpr int kMembershipBurst = 5;
  /// Changes of membership being written, of all clients.
  static constexpr std::size_t kMaxMemberships = 64;

  /// Groups of one client: 4,096 receivers of one flow, twice while its keys change.
  static constexpr std::size_t kMaxGroups = 512;
  /// … and of all: 36 MiB, most of it replay windows.
  static constexpr std::size_t kMaxGroupsOfAll = 16'384;

  /// Questions for turns to punch: a client that punches with many sequential NATs, one after the
  /// other, asks three times a second; and its first ones come at once.
  static constexpr Duration kCampaignPause = 200ms;
  static constexpr int kCampaignBurst = 10;

  struct Counters {
    std::uint64_t malformed = 0, bad_mac1 = 0, bad_handshake = 0, cookies_sent = 0, refused = 0;
    std::uint64_t replayed_init = 0, unknown_session = 0, forged = 0, replayed = 0;
    std::uint64_t relay_unknown_source = 0, relay_bad_tag = 0, relay_not_allowed = 0;
    std::uint64_t relay_receiver_offline = 0, relayed = 0, enrolled = 0, control_overflow = 0;
    std::uint64_t carried_handshakes = 0, carriage_refused = 0;
    std::uint64_t relayed_by_port = 0, port_taken = 0, port_refused = 0, port_none_left = 0;
    std::uint64_t port_not_theirs = 0;
    std::uint64_t probes = 0, probes_refused = 0;
    std::uint64_t group_uploads = 0, group_unknown = 0, group_replayed = 0, group_refused = 0;
  };

  Core(ServerConfig server_config, std::shared_ptr<const ServerPlan> first_plan, Rng& random);

  // The relay (server_relay.cpp).
  void relay(SocketNo socket, const NetDatagram& datagram, TimePoint now, Outbox& out);
  const Source& way_to(ClientRecord& receiver, const HopSession& session, ClientRecord& sender,
                       const Permission& permission, const Source& from, TimePoint now);

  // One upload for several receivers (server_groups.cpp).
  void relay_group(SocketNo socket, const NetDatagram& datagram, TimePoint now, Outbox& out);
  ClientRecord* relay_sender(const Source& source, Bytes header, Bytes tag);
  void forward_group(ClientRecord& sender, RelayGroup& group, MutBytes frame, const Source& source,
                     TimePoint now, Outbox& out);
  HopSession* receiving_session(ClientRecord* receiver);
  void check_receivers(const ClientRecord& sender, RelayGroup& group) const;
  void on_group_put(ClientRecord& client, const GroupPut& message, TimePoint now, Outbox& out);
  bool put_group(ClientRecord& client, const GroupPut& message);
  std::size_t groups_of_all() const;

  // Relay ports (server_ports.cpp).
  void on_port_frame(SocketNo socket, const NetDatagram& datagram, TimePoint now, Outbox& out);
  void note_port_source(ClientRecord& client, MemberPort& port, const HopSession& session,
                        std::uint64_t counter, const Source& source);
  void hear_pong(ClientRecord& client, const Source& source, const Pong& pong, TimePoint now);
  void on_port_open(SocketNo socket, TimePoint now, Outbox& out);
  void sweep_ports(TimePoint now, ServerOutbox& out);
  void tend_port(ClientRecord& client, MemberPort& port, TimePoint now, unsigned& opens,
                 ServerOutbox& out);
  void assign_port(ClientRecord& client, MemberPort& port, TimePoint now, ServerOutbox& out);
  PortRange range_of(const ClientRecord& client, FlowNo flow) const;
  void tell_ports(ClientRecord& client, TimePoint now, Outbox& out);
  void tell_ports_again(ClientRecord& client, TimePoint now, Outbox& out);
  void leave_ports(ClientRecord& client, TimePoint now);
  void drop_port(ClientRecord& client, MemberPort& port);
  void drop_ports(ClientRecord& client);
  void doubt_ports(ClientRecord& client);
  void renew_ports(ClientRecord& client);
  void close_unused_ports(ServerOutbox& out);
  MemberPort* port_of(const PortPool::Member& member);

  // NAT checks (server_probes.cpp).
  /// Answers that one client may wait for: it needs one, and a second after a network change.
  static constexpr std::size_t kMaxDelayedProbes = 4;
  /// … and all together: 300 KiB.
  static constexpr std::size_t kMaxDelayedProbesOfAll = 4096;
  /// Above the longest mapping lifetime that is worth knowing (RFC 4787, REQ-5: two minutes).
  static constexpr Duration kMaxProbeDelay = 300s;
  struct DelayedProbe {
    ClientNo client;
    std::uint64_t boot_id = 0;
    std::uint64_t token = 0;
    Source to;  ///< by the socket that was asked for
  };
  void on_probe(SocketNo socket, const NetDatagram& datagram, TimePoint now, Outbox& out);
  void answer_probe(ClientRecord& client, HopSession& session, const Probe& probe,
                    const Source& from, TimePoint now, Outbox& out);
  void send_probe_answer(HopSession& session, std::uint64_t token, const Source& to, TimePoint now,
                         Outbox& out);
  void answer_delayed_probes(TimePoint now, Outbox& out);
  std::optional<SocketNo> answering_socket(SocketNo asked, ProbeFrom from) const;
  bool is_probe_socket(SocketNo socket) const {
    return socket.value >= addresses.size() && !pool.owns(socket);
  }

  // Where peers may be reached (server_addresses.cpp).
  void tell_settings(ClientRecord& client, TimePoint now, Outbox& out);
  void tell_if_new(ClientRecord& client, std::vector<std::uint8_t>& told,
                   const std::vector<std::uint8_t>& message, TimePoint now, Outbox& out);
  ProbeKey probe_key(const ClientRecord& a, const ClientRecord& b) const;
  std::vector<std::uint8_t> address_message(const ClientRecord& to, const ClientRecord& peer) const;
  void tell_addresses(ClientRecord& client, TimePoint now, Outbox& out);
  void tell_address_of(const ClientRecord& client, TimePoint now, Outbox& out);
  void tell_address(ClientRecord& to, const ClientRecord& peer, TimePoint now, Outbox& out);

  // Turns to punch (server_campaigns.cpp).
  void on_campaign(ClientRecord& client, const CampaignAsk& ask, TimePoint now, Outbox& out);
  bool may_punch(const ClientRecord& client, const ClientRecord* peer) const;
  bool pays_for_campaign(ClientRecord& client, TimePoint now);
  void leave_campaigns(const ClientRecord& client, TimePoint now, Outbox& out);
  void tell_campaigns(TimePoint now, Outbox& out);

  // Handshakes (server_handshake.cpp).
  void on_init(SocketNo socket, const NetDatagram& datagram, TimePoint now, ServerOutbox& out);
  bool must_prove_address(TimePoint now);
  struct Admission {
    Verdict verdict = Verdict::kAccepted;
    ClientRecord* client = nullptr;
    bool enrolling = false;
  };
  Admission admit(const PublicKey& key, const InitPayload& payload);
  ClientRecord* find_by_id_hash(const Mac& hash);
  bool is_replay(const ClientRecord& client, const InitPayload& payload) const;
  bool is_superseded(const ClientRecord& client, std::uint64_t boot_id) const;
  Enrolment& enrolment_for(const PublicKey& key, TimePoint now, std::uint32_t& base);

  // Hop frames (server_hop.cpp).
  void on_frame(SocketNo socket, const NetDatagram& datagram, TimePoint now, ServerOutbox& out);
  void on_client_frame(ClientRecord& client, HopSession& session, const FrameHeader& header,
                       SocketNo socket, const NetDatagram& datagram, TimePoint now,
                       ServerOutbox& out);
  std::optional<Bytes> open(HopSession& session, const FrameHeader& header,
                            const NetDatagram& datagram, TimePoint now);
  /// Whether it has moved.
  bool note_source(ClientRecord& client, HopSession& session, const FrameHeader& header,
                   const Source& source);
  void index_sources(ClientRecord& client);
  void on_confirmed(ClientRecord& client, HopSession& session, TimePoint now, ServerOutbox& out);
  void on_control(ClientRecord& client, const ControlItem& item, ControlWriter& reply,
                  const Endpoint& from, TimePoint now, ServerOutbox& out);
  void read_messages(ClientRecord& client, TimePoint now, ServerOutbox& out);
  void carry_handshake(ClientRecord& from, const HandshakeCarriage& item, TimePoint now,
                       Outbox& out);
  void send_control(HopSession& session, const ControlWriter& items, TimePoint now, Outbox& out);
  void send_control(HopSession& session, const Source& to, const ControlWriter& items,
                    TimePoint now, Outbox& out);
  void flush(ClientRecord& client, TimePoint now, Outbox& out);
  void flush_stream(ControlStream& stream, HopSession* session, TimePoint now, Outbox& out);

  // Enrolment (server_enrol.cpp).
  void on_enrolment_frame(std::size_t slot, HopSession& session, const FrameHeader& header,
                          SocketNo socket, const NetDatagram& datagram, TimePoint now,
                          ServerOutbox& out);
  void request_enrolment(Enrolment& enrolment, KeyBinding binding, TimePoint now,
                         ServerOutbox& out);
  void bind(ClientRecord& client, const KeyBinding& binding, TimePoint now, ServerOutbox& out);
  void answer_enrolment(Enrolment& enrolment, EnrolResult result, TimePoint now, Outbox& out);

  // Clients that join flows by themselves (server_membership.cpp).
  void on_membership(ClientRecord& client, const MembershipRequest& request, TimePoint now,
                     ServerOutbox& out);

  // What clients say of their links (server_links.cpp).
  void on_link_news(ClientRecord& client, const LinkNews& news, TimePoint now);
  void sweep_links(TimePoint now);

  // Rendezvous: who is told what (server_roster.cpp).
  void remove_clients(const ServerPlan& next, TimePoint now, Outbox& out);
  void adopt(std::shared_ptr<const ServerPlan> next);
  void update(ClientRecord& client);
  void tell_everything(ClientRecord& client, TimePoint now, Outbox& out);
  void tell_differences(ClientRecord& client, TimePoint now, Outbox& out);
  void tell_peers_about(const ClientRecord& client, TimePoint now, Outbox& out);
  std::vector<std::uint8_t> peer_message(const ClientRecord& peer) const;
  std::map<ClientNo, std::vector<std::uint8_t>> wanted_peers(const ClientRecord& client) const;
  void push(ClientRecord& client, const std::vector<std::uint8_t>& message, TimePoint now,
            Outbox& out);
  void cut_off(ClientRecord& client, CloseReason reason, TimePoint now, Outbox& out);
  void go_offline(ClientRecord& client, const std::string& why, TimePoint now, Outbox& out);
  void forget_sources(ClientRecord& client);

  ClientRecord* numbered(ClientNo number) {
    return number.value < by_number.size() ? by_number[number.value] : nullptr;
  }

  ServerConfig config;
  Rng& rng;
  SecretKey mac1;
  CookieJar cookies;
  std::size_t group_count = 0;  // groups_of_all() at the last sweep, and those that came since
  std::shared_ptr<const ServerPlan> plan;                        // in force
  LinkBudget link_budget;                                        // of all clients, who use it
  std::map<std::string, std::unique_ptr<ClientRecord>> clients;  // by ID
  std::vector<ClientRecord*> by_number;                          // owned by clients
  std::map<PublicKey, ClientRecord*> by_key;
  std::map<Mac, ClientRecord*> by_id_hash;
  std::unordered_map<Source, ClientRecord*, SourceHash> by_source;
  std::vector<IpAddress> addresses;  // public ones, by their socket; never empty
  PortPool pool;
  std::multimap<TimePoint, DelayedProbe> delayed_probes;  // by when they are due
  CampaignLeases campaigns;
  SecretKey probe_secret;              // of this process: makes the keys of openers
  std::vector<SocketNo> unused_ports;  // to be closed before the pool gives a number out again
  TimePoint ports_rest_until{};        // the system has refused one
  bool said_port_trouble = false;
  std::vector<std::unique_ptr<Enrolment>> enrolments;  // by slot
  /// What is being stored, by ticket. It outlives the enrolment: the code is used up by then.
  std::map<std::uint64_t, KeyBinding> storing;
  struct PendingMembership {
    ClientNo client;
    std::uint64_t boot_id = 0;
    std::uint32_t ticket = 0;  // the client's
  };
  std::map<std::uint64_t, PendingMembership> memberships;  // by our ticket
  std::uint64_t next_ticket = 1;
  TimePoint next_sweep = kNever;
  TimePoint next_link_sweep{};
  TimePoint stream_deadline = kNever;  // the earliest of all control streams
  TimePoint streams_served{};          // when all of them had their turn last
  TimePoint init_window{};
  std::uint64_t inits_in_window = 0;
  std::uint32_t revision = 0;
  bool closed = false;
  Counters counters;
};

}  // namespace wormhole
