// The client's link to its server: handshake, keepalive, change of server address, control stream,
// relay access.
//
//   idle ──servers known──► connecting ──RESP──► connected ──no answer──► suspect ──RESP──►
//   connected
//                                                    ▲──────any answer───────┘
// In `suspect` the old session stays in use while new INITs go to all addresses in turn.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wormhole/base/outbox.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/hop/port_probes.hpp"
#include "wormhole/session/control_stream.hpp"
#include "wormhole/session/initiation.hpp"
#include "wormhole/session/session_slots.hpp"

namespace wormhole {

/// What the link reports upwards, as values, in order.
struct HopConnected {
  bool stream_restarted;  ///< the server will say everything again, ending with Sync
};
struct HopRefused {
  Verdict verdict;
};
struct HopClosed {
  CloseReason reason;
};
/// A handshake message of a peer, by reference to the datagram being handled.
struct HopHandshake {
  ClientNo peer;
  Bytes message;
};
/// What the server saw of a probe. It may come from any address and port of the server's.
struct HopProbeAnswered {
  SocketNo socket;  ///< where it arrived
  ProbeAnswer answer;
  Endpoint from;
};
/// The server could not be reached for a while: its name may lead elsewhere now.
struct HopWantsResolve {};
using HopEvent = std::variant<HopConnected, HopRefused, HopClosed, HopHandshake, HopWantsResolve,
                              HopProbeAnswered, RelayPortChange, StreamMessage>;

/// Silence has one sentence: unreachable and wrong key can't be told apart, for a server answers no
/// strangers.
inline constexpr std::string_view kWhySilent =
    "no answer from the server: it is unreachable, its UDP port is blocked, or it has another key "
    "than the invite code "
    "says (a server answers no strangers); check its address, its firewall and its log";

struct HopConfig {
  std::string id;
  KeyPair keys;
  PublicKey server_key;
  NetworkId network{};
  KnockKey knock{};
  std::uint64_t boot_id = 0;
  Mac invite_hash{};  ///< zero unless enrolling
};

/// Datagrams from the server that were dropped, by cause.
struct HopDrops {
  std::uint64_t unknown_session = 0;
  std::uint64_t replayed = 0;
  std::uint64_t forged = 0;
  std::uint64_t malformed = 0;
  std::uint64_t bad_handshake = 0;
};

class HopLink {
 public:
  /// Application packets within this time keep the fast keepalive going.
  static constexpr Duration kActiveFor = 60s;
  /// Four chances a second: a NAT rebind or a dead server shows within half a second.
  static constexpr Duration kActivePing = 250ms;
  /// Below the shortest UDP mapping timeouts seen in the field (RFC 4787 REQ-5 asks for 2 min; some
  /// give 10 s).
  static constexpr Duration kIdlePing = 2s;
  /// Two to three lost pings; never less than three round trips.
  static constexpr Duration kSuspectAfter = 600ms;
  /// An answer that is late by a half brings pings at this pace: five of them fit before suspicion,
  /// so that 10 % loss each way raises a false one every 17 minutes instead of every 40 s.
  static constexpr Duration kMissingPing = 100ms;
  static constexpr Duration kSuspectMost = 3s;
  /// Names are looked up again this long after the last answer, and at this interval.
  static constexpr Duration kResolveAgain = 10s;
  static constexpr std::size_t kMaxServers = 16;
  /// INITs without an answer before the log says so: 1.75 s, in which a slow or lossy path has
  /// answered.
  static constexpr unsigned kSilentTries = 4;

  HopLink(HopConfig config, Rng& rng);

  void set_servers(std::vector<Endpoint> servers, TimePoint now, Outbox& out);
  /// A handshake message or a hop frame that arrived at `socket`. Events are appended.
  void on_datagram(SocketNo socket, const NetDatagram& datagram, TimePoint now, Outbox& out,
                   std::vector<HopEvent>& events);
  void on_timeout(TimePoint now, Outbox& out, std::vector<HopEvent>& events);
  TimePoint next_deadline() const;

  /// Sends a probe of a NAT check; a HopProbeAnswered may follow. Nothing else goes by other
  /// sockets than the main ones, or comes from addresses that were not asked.
  void send_probe(SocketNo socket, const Endpoint& to, const Probe& probe, TimePoint now,
                  Outbox& out);
  /// Queues a control message; sent at once when connected.
  void send_message(const StreamMessage& message, TimePoint now, Outbox& out);
  /// Carries a handshake message to a peer.
  void send_handshake(ClientNo peer, Bytes message, TimePoint now, Outbox& out);
  /// Appends the hop tag behind a sealed frame of type kRelayed (4 bytes of tailroom) and sends it,
  /// by the flow's relay port when that answers. False when there is no server to send to.
  bool relay(MutBytes frame, Outbox& out);
  /// The server relays `flow` by `port` of its address too (0: no longer). It is used once it has
  /// answered.
  void set_relay_port(FlowNo flow, std::uint16_t port, TimePoint now);
  /// The relay port that carries the flow; 0 while the shared one does.
  std::uint16_t relay_port(FlowNo flow) const { return ports_.in_use(flow); }
  /// An application packet passed: keepalives become or stay fast.
  void note_traffic(TimePoint now);
  /// The network may have changed (an interface, a NAT that forgot us): a ping at once tells the
  /// server where we are now.
  void nudge(TimePoint now) {
    if (next_ping_ != kNever) next_ping_ = std::min(next_ping_, now);
  }
  /// Says goodbye.
  void close(TimePoint now, Outbox& out);

  bool is_connected() const { return slots_.current() != nullptr && !suspect_; }
  /// Whether datagrams from `from` can be the server's: by address alone, for relay ports come and
  /// go, and whoever can forge an address can forge a port.
  bool may_be_server(const Endpoint& from) const;
  Endpoint server() const;  ///< in use, or tried last
  /// Bytes of IP and UDP headers of a datagram to it.
  std::size_t headers() const {
    return headers_of(slots_.current() != nullptr ? slots_.current()->server : tried_);
  }
  const std::vector<Endpoint>& servers() const { return servers_; }
  /// The second port on each of the server's addresses; 0: there is none.
  std::uint16_t probe_port() const { return probe_port_; }
  ClientNo number() const { return number_; }
  std::optional<Duration> rtt() const { return rtt_; }
  const std::optional<Endpoint>& observed() const { return observed_; }
  const HopDrops& drops() const { return drops_; }

 private:
  struct ServerSession : Session {
    ServerSession(const TransportKeys& keys, std::uint32_t local_index, std::uint32_t remote_index,
                  TimePoint born, const Endpoint& at)
        : Session(keys, Role::kInitiator, local_index, remote_index, born),
          server(at),
          relay_key(hop_tag_key(keys.send)) {}
    Endpoint server;
    HopTagKey relay_key;
  };

  void on_resp(const NetDatagram& datagram, TimePoint now, Outbox& out,
               std::vector<HopEvent>& events);
  void on_frame(const NetDatagram& datagram, TimePoint now, Outbox& out,
                std::vector<HopEvent>& events);
  void on_port_frame(const Endpoint& from, Bytes text, TimePoint now, Outbox& out,
                     std::vector<HopEvent>& events);
  void on_probe_frame(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                      std::vector<HopEvent>& events);
  std::optional<Bytes> open(const FrameHeader& header, const NetDatagram& datagram, TimePoint now);
  void on_control(const ControlItem& item, ControlWriter& reply, TimePoint now,
                  std::vector<HopEvent>& events);
  void drain_messages(Outbox& out, TimePoint now, std::vector<HopEvent>& events);
  void close_session(TimePoint now, Outbox& out);
  void send_init(TimePoint now, Outbox& out);
  void send_ping(TimePoint now, Outbox& out);
  void send_control(const ControlWriter& items, TimePoint now, Outbox& out);
  void send_control(ServerSession& session, const Endpoint& to, const ControlWriter& items,
                    TimePoint now, Outbox& out);
  void ping_ports(TimePoint now, Outbox& out, std::vector<HopEvent>& events);
  ServerSession* relaying_session();
  bool is_server_port(const Endpoint& from) const;
  void flush_stream(TimePoint now, Outbox& out);
  void note_answer(TimePoint now);
  void become_suspect(TimePoint now, Outbox& out);
  void say_unreachable(Outbox& out);
  Duration suspect_after() const;
  TimePoint suspect_time() const;
  Duration ping_interval(TimePoint now) const;
  bool answer_is_missing(TimePoint now) const;
  static SocketNo socket_for(const Endpoint& to) {
    return SocketNo{static_cast<std::uint16_t>(to.address.is_v4() ? 0 : 1)};
  }

  HopConfig config_;
  Rng& rng_;
  Initiation initiation_;
  SessionSlots<ServerSession> slots_;
  ControlStream stream_;
  PortProbes ports_;
  std::vector<RelayPortChange> port_changes_;  // of the call under way
  std::vector<Endpoint> servers_;
  std::size_t target_ = 0;  // the server that the next INIT goes to
  Endpoint tried_;          // where the last INIT went
  std::optional<std::uint64_t> server_boot_;
  ClientNo number_;
  std::uint16_t probe_port_ = 0;
  std::optional<Duration> rtt_;
  std::optional<Endpoint> observed_;
  std::optional<TimePoint> unanswered_since_;  // the first ping that no answer followed
  TimePoint last_ping_{};
  TimePoint next_ping_ = kNever;
  TimePoint last_traffic_ = TimePoint::min();
  TimePoint next_resolve_ = kNever;
  TimePoint quiet_until_ = TimePoint::min();  // an announced restart: silence says nothing
  bool suspect_ = false;
  bool said_unreachable_ = false;
  bool closed_ = false;
  HopDrops drops_;
};

}  // namespace wormhole
