// When to punch, with whom and what is agreed about it: one target a peer, one heavy campaign at a
// time (docs/nat-traversal.md).
//
// A heavy campaign needs the server's turn, at both ends: without it, `waiting`
// (puncher_turns.cpp).
//
//   idle ──announced──► opening ──────────────┬──path──► direct ──path lost──► opening
//    ▲                  (openers, challenges)  │             ▲
//    │ 10 s                                    ▼ no path     │
//    └──3 failures── punching ◄──go── offering ◄── checking ─┘ (any state, when a path stands)
// `checking` waits for a fresh NAT check of ours, before an offer or before the answer to one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wormhole/client/client.hpp"
#include "wormhole/nat/nat_check.hpp"
#include "wormhole/peer/peer.hpp"
#include "wormhole/punch/campaign.hpp"
#include "wormhole/punch/held.hpp"

namespace wormhole {

/// What one can see of the way to a direct path.
struct PunchStatus {
  Strategy strategy = Strategy::kRelay;  ///< that opened the path in use
  std::string reason;                    ///< why not direct; empty when it is
  TimePoint since{};                     ///< when the path in use stood
  std::optional<Duration> took;          ///< from knowing the peer online to the path
  std::uint32_t campaigns = 0;
};

struct PunchDrops {
  std::uint64_t forged_opener = 0;
  std::uint64_t opener_too_soon = 0;  ///< genuine, but more than a campaign can send
};

class Puncher {
 public:
  using FindPeer = std::function<Peer*(std::uint16_t slot)>;

  /// Openers that go out as soon as the server has named the peer: a loss or a NAT that opens late
  /// must not cost the campaign. 300 ms cover the end-to-end handshake at 200 ms of round trip.
  static constexpr std::array<Duration, 6> kVolley{0ms, 20ms, 60ms, 120ms, 200ms, 300ms};
  /// How long the volley and the challenges after it may take before a campaign is agreed.
  static constexpr Duration kOpeningTime = 1200ms;
  /// The end that does not lead waits so much longer before it leads.
  static constexpr Duration kPatience = 3s;
  /// An own check that is younger than this needs no repetition, except for a sequential NAT.
  static constexpr Duration kFresh = 30s;
  /// A check that is not done by then: what is known must do.
  static constexpr Duration kCheckTime = 1s;
  static constexpr Duration kOfferAgain = 300ms;
  static constexpr unsigned kMostOffers = 6;
  /// product.md: the strategy, and twice again.
  static constexpr unsigned kTries = 3;
  static constexpr Duration kCooldown = 10s;
  /// A heavy campaign takes up to 2,048 mappings of a NAT that may have 5,000 (nat-traversal.md),
  /// for 30 s and more: so the cooldown doubles to this.
  static constexpr Duration kMostCooldown = 5min;
  /// The other end is busy with a campaign of at most 6 s.
  static constexpr Duration kBusy = 1s;

  static constexpr std::string_view kTrying = "punching is under way";
  /// A turn that has come must be used within this; the server allows so long (CampaignLeases).
  static constexpr Duration kTurnStart = 4s;
  /// An answer that takes longer is none: the server's process is another one by now.
  static constexpr Duration kAnswerTime = 1s;
  /// A server that forgot the question, for it restarted, is asked again.
  static constexpr Duration kAskAgain = 5s;

  Puncher(FindPeer find, HopLink& hop, Rng& rng) : find_(std::move(find)), hop_(hop), rng_(rng) {}

  void set_settings(const PunchSettings& settings);
  /// `lead`: we are the newer one, so campaigns are ours to offer.
  void set_address(std::uint16_t slot, const PeerAddress& address, bool lead, TimePoint now,
                   ClientOutbox& out);
  void remove(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  /// The peer's session, talk or paths may have changed.
  void on_peer(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  /// Our NAT check knows something new.
  void on_nat(const NatFindings& findings, TimePoint now, ClientOutbox& out);
  void on_network_change(TimePoint now);
  /// The server's answer to a question for a turn, ours or the peer's.
  void on_turn(std::uint16_t slot, const CampaignTurn& turn, TimePoint now, ClientOutbox& out);
  /// An opener for us from the peer in `slot`.
  void on_opener(std::uint16_t slot, SocketNo socket, const NetDatagram& datagram, TimePoint now,
                 ClientOutbox& out);
  void on_timeout(TimePoint now, ClientOutbox& out);
  TimePoint next_deadline() const;
  /// Whether a fresh NAT check is wanted; asked once.
  bool take_check_wish() { return std::exchange(wants_check_, false); }

  PunchStatus status(std::uint16_t slot) const;
  const PunchDrops& drops() const { return drops_; }

 private:
  enum class Stage : std::uint8_t {
    kIdle,
    kOpening,
    kChecking,
    kOffering,
    kWaiting,
    kPunching,
    kDirect
  };
  /// Leave to punch heavily.
  struct Turn {
    enum class State : std::uint8_t { kNone, kAsked, kWaiting, kGranted };
    State state = State::kNone;
    bool ours = false;         ///< we have asked
    std::uint32_t number = 0;  ///< the server's; 0 until it has answered
    TimePoint heard{};         ///< its newest word; before that, when we have asked
  };
  /// Words of the server about a turn that was given back may still be on their way.
  struct GivenBack {
    std::uint32_t number = 0;
    bool unanswered = false;  ///< the question was taken back before it had a number
    TimePoint at{};
  };
  struct Target {
    PeerAddress address;
    NatReport report;  ///< the peer's newest word about its NAT
    bool lead = false;
    Stage stage = Stage::kIdle;
    TimePoint due = kNever;
    TimePoint known{};  ///< online since, or without a path since
    std::size_t volley = 0;
    TimePoint volley_from{};
    std::uint32_t number = 0;  ///< of the newest campaign
    unsigned tries = 0;
    unsigned offers = 0;
    bool judged = false;  ///< the plan for what is known of both NATs was looked at
    Duration cooldown = kCooldown;
    bool answering = false;  ///< kChecking, kWaiting: for an offer of the peer
    Turn turn;
    GivenBack given_back;
    std::optional<Campaign> campaign;
    std::vector<SocketNo> sockets;  ///< of the campaign; 0 is the main one
    PunchStatus status;
  };

  void open(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void send_volley(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void consider(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void begin(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void checked(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void offer(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void on_talk(std::uint16_t slot, Target& target, const PunchTalk& talk, TimePoint now,
               ClientOutbox& out);
  void on_offer(std::uint16_t slot, Target& target, const PunchTalk& talk, TimePoint now,
                ClientOutbox& out);
  void say(std::uint16_t slot, const Target& target, PunchTalk::Stage stage, TimePoint now,
           ClientOutbox& out);
  void punch(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void run(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void failed(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void rest(Target& target, TimePoint now);
  /// What is known of our NAT may be old: on_nat() goes on.
  void check_first(Target& target, TimePoint now);
  void drop_campaign(std::uint16_t slot, Target& target, ClientOutbox& out);
  /// … and gives the turn back.
  void end_campaign(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  bool may_run(const PunchPlan& intent, Target& target, TimePoint now, ClientOutbox& out);
  static bool peer_waits(const Target& target, TimePoint now);
  void give_back(Target& target, TimePoint now, ClientOutbox& out);
  static bool is_stale(GivenBack& old, const CampaignTurn& message, TimePoint now);
  void wait(Target& target, TimePoint now);
  void wait_on(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void resume(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void on_path(std::uint16_t slot, Target& target, const PathAction& action, TimePoint now,
               ClientOutbox& out);
  void step(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out);
  void send_opener(const Target& target, SocketNo socket, const Endpoint& to, std::uint8_t ttl,
                   Outbox& out);
  PunchPlan plan(const Target& target, TimePoint now);
  Strategy strategy(const Target& target) const;
  bool needs_check(TimePoint now) const;
  bool busy_beside(const Target& target) const;
  bool is_shut_in_with(const Target& target) const;
  bool asks_beside(const Target& target) const;
  static bool is_heavy(const PunchPlan& plan);
  SocketNo new_socket();
  NatReport own_report() const;

  FindPeer find_;
  HopLink& hop_;
  Rng& rng_;
  PunchSettings settings_;
  NatFindings nat_;
  std::map<std::uint16_t, Target> targets_;  // by the peer's slot
  HeldMappings held_;
  std::set<SocketNo> kept_;  // campaign sockets that paths use
  std::uint16_t next_socket_ = 0;
  bool wants_check_ = false;
  std::vector<PunchSend> sends_;  // of the call under way
  PunchDrops drops_;
};

}  // namespace wormhole
