// One remote client: its end-to-end sessions, the paths to it and what is known of it. Which flows
// it shares, whether its key is trusted and when to punch is decided above.
//
//   absent ──online──► (we initiate, or it does) ──session──► usable ──offline──► usable, unused
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wormhole/congestion/arrival_log.hpp"
#include "wormhole/congestion/way_monitor.hpp"
#include "wormhole/hop/hop_link.hpp"
#include "wormhole/path/path_mtu.hpp"
#include "wormhole/path/path_set.hpp"
#include "wormhole/peer/peer_streams.hpp"
#include "wormhole/peer/waiting.hpp"
#include "wormhole/session/initiation.hpp"
#include "wormhole/session/session_slots.hpp"
#include "wormhole/wire/fragment.hpp"

namespace wormhole {

/// What all peers of a client share; owned by the client, outlives them.
struct PeerContext {
  std::string id;
  KeyPair keys;
  NetworkId network{};
  KnockKey knock{};
  std::uint64_t boot_id = 0;
  /// The highest attempt number of peers that are gone: one that comes back goes on from here,
  /// because it may remember.
  std::uint32_t attempts = 0;
};

/// What clients tell each other about groups.
using GroupItem = std::variant<GroupKey, GroupKeyAck>;

/// What became of a datagram that should go to a peer.
enum class SendOutcome : std::uint8_t {
  kSent,
  kQueued,
  kOffline,
  kNoServer,
  kKeyUsedUp,
  kOverload
};

/// Application datagrams that left for a peer.
struct PeerSent {
  std::uint64_t datagrams = 0;
  std::uint64_t fragmented = 0;  ///< of them: larger than the way carries, so in fragments
};

/// One way to a peer, the relay or the direct path in use: what came by it, what left by it, and
/// what the peer says of that.
struct PeerWay {
  ArrivalLog heard;
  SendHistory sent;  ///< to this peer alone; what groups get is in theirs
  WayMonitor monitor;
  std::optional<Feedback> news;  ///< the newest report that nobody has looked at yet
};

struct PeerDrops {
  std::uint64_t unknown_session = 0;
  std::uint64_t replayed = 0;
  std::uint64_t forged = 0;
  std::uint64_t expired = 0;
  std::uint64_t malformed = 0;
  std::uint64_t bad_handshake = 0;
  std::uint64_t foreign_address = 0;  ///< from a place where the peer can't be
};

class Peer {
 public:
  /// Local indices of one peer: 4 outstanding INITs + 4 pending + current + previous = 10 fit.
  static constexpr std::uint32_t kIndexSpan = 16;
  /// Peers of one client: what the 16-bit local index leaves.
  static constexpr std::size_t kMaxPeers = 65536 / kIndexSpan;
  static constexpr Duration kPing = 1s;
  static constexpr Duration kConfirmPing = 250ms;
  /// If the other end has not initiated by then, we do.
  static constexpr Duration kInitiateAnyway = 1s;
  /// Unanswered for this long while the server says that it is online: the session is gone at the
  /// other end.
  static constexpr Duration kDeadSession = 5s;

  Peer(const PeerContext& context, std::uint16_t slot, const KeyBinding& binding, HopLink& hop,
       WaitingBudget& budget, Rng& rng);

  /// News from the server. `initiate`: we are the newer one, so the handshake is ours to begin.
  void set_presence(ClientNo number, std::uint64_t boot_id, bool initiate, TimePoint now);

  /// Seals `text` in place (kHeadroom, kTailroom) and sends it; or queues a copy while a first
  /// session is being made.
  SendOutcome send(const FlowRef& flow, MutBytes text, TimePoint now, Outbox& out);

  /// A frame whose index is one of this peer's. For a data flow the text (in place) is returned
  /// when it is authentic; control is handled here.
  /// `path`: how it came; null: by the relay.
  std::optional<MutBytes> on_frame(const FrameHeader& header, const FlowRef& flow, MutBytes frame,
                                   const PathAddress* path, TimePoint now, Outbox& out);
  /// The streams with it. Whoever writes, reads or opens any calls flush_streams() afterwards.
  PeerStreams& streams() { return streams_; }
  const PeerStreams& streams() const { return streams_; }
  /// Packets of one flush: 85 kB, the most that BBR sends at once (64 KiB, RFC 9002's burst is 10)
  /// and acknowledgements. More must wait until sockets and timers have had their turn.
  static constexpr int kPacketsPerFlush = 64;
  /// Sends what the streams want sent now, `most` packets of each class; the rest follows by the
  /// deadline.
  void flush_streams(TimePoint now, Outbox& out, int most = kPacketsPerFlush);
  /// The owner will flush the streams when the uplink lets them: no deadline asks for it.
  void hold_streams(bool held) { streams_held_ = held; }
  /// There may be a way again: a handshake under way goes on at once, and if the streams wait for
  /// an answer, a ping asks for one.
  void rouse(TimePoint now, Outbox& out);
  /// Ends all of them for good and tells the peer.
  void close_streams(TimePoint now, Outbox& out);
  /// INIT or RESP of this peer, from the hop session.
  void on_handshake(Bytes message, TimePoint now, Outbox& out);

  /// Where the server says that it is. An address that it has left makes its paths suspect.
  void set_address(const PeerAddress& address, TimePoint now, Outbox& out);
  /// Whether a path may lead there: a public endpoint, of an address that was announced.
  bool may_be_at(const Endpoint& remote) const;
  /// A place where it may be reached, if it may be there at all; the path carries nothing before it
  /// has answered.
  void try_path(const PathAddress& path, Strategy strategy, TimePoint now, Outbox& out);
  /// Our own network has changed: its paths must prove themselves.
  void doubt_paths(TimePoint now, Outbox& out);
  void send_talk(const PunchTalk& talk, TimePoint now, Outbox& out);
  /// Largest UDP payload towards the server that is known to reach it as a frame by the relay.
  std::size_t relay_room() const { return relay_mtu_.size(); }
  /// A frame for it has left by the relay, not through send(): so large, in bytes of UDP payload.
  void note_relayed(std::size_t size, TimePoint now) { relay_mtu_.on_sent(size, now); }
  /// GROUP_KEY or its acknowledgement, in the session.
  void send_group_item(const GroupItem& item, TimePoint now, Outbox& out);
  /// A datagram of a group frame goes to it.
  void note_group_traffic(TimePoint now) { note_activity(now); }
  /// One of its group frames came by the relay and is authentic: its mark, and its size.
  void on_group_frame(FrameMark mark, std::size_t size, TimePoint now, Outbox& out);
  PeerWay& way(Way which) { return ways_[which == Way::kDirect ? 1 : 0]; }
  const PeerWay& way(Way which) const { return ways_[which == Way::kDirect ? 1 : 0]; }
  /// Bytes of an IP packet by that way, beside the frame that the peer gets.
  std::size_t overhead(Way which) const;
  /// All but `leads`, which the two IDs decide.
  void set_path_settings(PathSettings settings) {
    settings.leads = context_.id < binding_.id;
    paths_.set_settings(settings);
  }

  void on_timeout(TimePoint now, Outbox& out);
  TimePoint next_deadline() const;

  const PathSet& paths() const { return paths_; }
  /// Of the way in use.
  const PathMtu& mtu() const { return paths_.in_use() != nullptr ? direct_mtu_ : relay_mtu_; }
  const PeerSent& sent() const { return sent_; }
  /// PathUp, PathDown and SocketUnused since the last call, in order.
  std::vector<PathAction> take_path_events() {
    news_ = false;
    return std::exchange(path_events_, {});
  }
  /// Whether take_path_events(), take_talk(), take_group_items() or take_stirred() has something,
  /// or a session was made.
  bool has_news() const {
    return news_ || stirred_ || !path_events_.empty() || talk_.has_value() ||
           !group_items_.empty() || ways_[0].news || ways_[1].news;
  }
  /// Whether the streams may have something to say or to send: the owner takes their events and
  /// calls flush_streams().
  bool take_stirred() { return std::exchange(stirred_, false); }
  /// The newest word of the peer about punching, once.
  std::optional<PunchTalk> take_talk() { return std::exchange(talk_, std::nullopt); }

  /// What it has said about groups since the last call.
  std::vector<GroupItem> take_group_items() { return std::exchange(group_items_, {}); }

  const std::string& id() const { return binding_.id; }
  const KeyBinding& binding() const { return binding_; }
  ClientNo number() const { return number_; }
  /// As the server says; or there is a direct path, which needs no server.
  bool is_online() const { return boot_id_ != 0 || paths_.in_use() != nullptr; }
  /// Usable for sending: it exists, and the other end's process that made it still runs.
  bool has_session() const { return slots_.current() != nullptr && !stale_; }
  TimePoint session_since() const { return session_since_; }
  std::optional<Duration> rtt() const { return rtt_; }
  /// The same by the relay, as it was when it was in use last.
  std::optional<Duration> relay_rtt() const { return relay_rtt_; }
  /// The process that its sessions are with.
  std::uint64_t session_boot() const { return session_boot_; }
  /// Share of the peer's frames lost on the way to us, over the last ten seconds of traffic.
  double loss() const { return loss_; }
  const PeerDrops& drops() const { return drops_; }
  std::uint64_t queue_overflow() const { return waiting_.overflow(); }
  /// The attempt number of our last INIT to it.
  std::uint32_t attempt() const { return initiation_.attempt(); }

 private:
  /// How a handshake message travels.
  enum class Via : std::uint8_t { kHop, kSession };
  struct PeerSession : Session {
    using Session::Session;
    std::uint64_t boot_id = 0;
    std::uint32_t attempt = 0;
  };

  std::uint32_t index_base() const;
  HandshakeContext handshake_context(bool we_initiate) const;
  void on_init(Bytes message, Via via, TimePoint now, Outbox& out);
  void on_resp(Bytes message, TimePoint now, Outbox& out);
  void answer_init(Responder& responder, Via via, TimePoint now, Outbox& out);
  bool streams_can_run() const { return is_online() && has_session(); }
  void flush_class(StreamClass group, int most, TimePoint now, Outbox& out);
  void note_heard(TimePoint now);
  void on_control(Bytes text, const PathAddress* path, TimePoint now, Outbox& out);
  void on_path_item(const ControlItem& item, const PathAddress* path, ControlWriter& reply,
                    TimePoint now, Outbox& out);
  bool on_relay_proof(const ControlItem& item, ControlWriter& reply, TimePoint now);
  void note_path(const FrameHeader& header, const FlowKeys& keys, const PathAddress& path,
                 TimePoint now, Outbox& out);
  static bool is_path_frame(const FrameHeader& header, const PathAddress* path) {
    return path != nullptr && (header.flags & kFlagPath) != 0;
  }
  void on_copy(const FrameHeader& header, const FlowKeys& keys, MutBytes frame,
               const PathAddress& path, TimePoint now, Outbox& out);
  bool on_proof(const ControlItem& item, const PathAddress& path, ControlWriter& reply,
                TimePoint heard, TimePoint now);
  void new_process(TimePoint now);
  void run_path_actions(TimePoint now, Outbox& out);
  void send_init(TimePoint now, Outbox& out);
  void carry(Bytes message, Via via, TimePoint now, Outbox& out);
  void send_ping(TimePoint now, Outbox& out);
  /// By the path in use, else by the relay.
  void send_control(const ControlWriter& items, TimePoint now, Outbox& out);
  void send_by_relay(const ControlWriter& items, TimePoint now, Outbox& out);
  void send_by_path(const ControlWriter& items, const PathAddress& path, TimePoint now,
                    Outbox& out);
  Way way_of(const FlowRef& flow, TimePoint now) const {
    return flow.relay_only ? Way::kRelay : paths_.way(now);
  }
  std::size_t text_room(Way way) const;
  void forget_mtu();
  void serve_mtu(TimePoint now, Outbox& out);
  void serve_mtu(PathMtu& mtu, FrameType type, TimePoint now, Outbox& out);
  void send_probe(const MtuProbe& probe, FrameType type, TimePoint now, Outbox& out);
  MutBytes seal_control(const ControlWriter& items, FrameType type, std::uint8_t flags,
                        TimePoint now, Outbox& out);
  SendOutcome dispatch(FlowKeys& keys, const FlowRef& flow, Way way, MutBytes text,
                       std::uint8_t flags, TimePoint now, Outbox& out);
  SendOutcome send_fragments(const FlowRef& flow, Way way, Bytes text, TimePoint now, Outbox& out);
  void session_ready(TimePoint now, Outbox& out);
  void go_offline();
  void flush_queue(TimePoint now, Outbox& out);
  void note_activity(TimePoint now);
  void measure_loss(TimePoint now);
  void note_sent(Way which, Bytes frame, TimePoint now) {
    way(which).sent.note(frame_mark(frame), frame.size(), now);
  }
  void note_arrival(Way which, FrameMark mark, std::size_t size, TimePoint now, Outbox& out) {
    if (way(which).heard.note(mark, size, now)) [[unlikely]]
      report(which, now, out);
  }
  void report(Way which, TimePoint now, Outbox& out);
  void forget_way(Way which);
  bool is_active(TimePoint now) const;

  const PeerContext& context_;
  HopLink& hop_;
  Rng& rng_;
  std::uint16_t slot_;
  KeyBinding binding_;
  SecretKey mac1_key_;
  Initiation initiation_;
  SessionSlots<PeerSession> slots_;
  ClientNo number_;
  std::uint64_t boot_id_ = 0;  // as the server says; 0 is offline
  std::uint64_t session_boot_ = 0;
  std::uint64_t streams_boot_ = 0;  // the process that the streams are with
  std::uint32_t session_attempt_ = 0;
  bool stale_ = false;  // the other end has restarted since
  WaitingDatagrams waiting_;
  PeerStreams streams_;
  bool stirred_ = false;
  bool streams_due_ = false;  // the budget of a flush was used up
  bool streams_held_ = false;
  TimePoint heard_ = TimePoint::min();  // the last authentic frame, whichever way it came
  PathSet paths_;
  PathMtu direct_mtu_;            // of the path in use
  PathMtu relay_mtu_;             // of the way by the relay, end to end
  std::vector<MtuProbe> probes_;  // of the call under way
  PeerSent sent_;
  PeerAddress address_;                   // as the server says
  std::vector<PathAction> path_actions_;  // of the call under way
  std::vector<PathAction> path_events_;
  std::optional<PunchTalk> talk_;
  std::vector<GroupItem> group_items_;
  bool news_ = false;  // a session was made
  // Number of the last datagram sent in fragments. It starts anywhere, so that those of a process
  // that was restarted within the reassembly time can't be mixed with ours.
  std::uint32_t fragmented_;

  std::array<PeerWay, 2> ways_;  // by the relay, direct
  TimePoint session_since_{};
  TimePoint last_activity_ = TimePoint::min();
  TimePoint next_ping_ = kNever;
  std::optional<TimePoint> unanswered_since_;
  std::optional<Duration> rtt_;
  std::optional<Duration> relay_rtt_;
  double loss_ = 0;
  TimePoint loss_from_{};
  TimePoint loss_session_born_{};  // which session loss_base_ is about
  std::pair<std::uint64_t, std::uint64_t> loss_base_{0, 0};
  PeerDrops drops_;
};

}  // namespace wormhole
