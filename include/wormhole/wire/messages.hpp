// Messages of the control stream between client and server (docs/protocol.md, section 5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/wire/nat_report.hpp"
#include "wormhole/wire/opener.hpp"

namespace wormhole {

/// How a direct path is opened (docs/nat-traversal.md). The numbers are the wire's and those of
/// PunchSettings::forbidden.
enum class Strategy : std::uint8_t {
  kRelay = 0,       ///< none: the relay carries everything
  kDirect = 1,      ///< one end is reachable, the other goes there
  kCone = 2,        ///< both ends' mappings are known: both send at an agreed moment
  kBirthday = 3,    ///< cone–symmetric: many mappings, random probes
  kRange = 4,       ///< the same within a known small range of ports
  kSequential = 5,  ///< the next ports are known
  kRangePair = 6    ///< both ends within known small ranges
};
inline constexpr std::uint8_t kStrategies = 7;

/// A client that shares a flow with the receiver.
struct PeerPut {
  ClientNo number;
  std::uint64_t boot_id = 0;  ///< 0 while it is offline
  KeyBinding binding;
  bool online() const { return boot_id != 0; }
};
struct PeerRemove {
  ClientNo number;
};
/// A flow that the receiver is a member of. Enumerations stay plain numbers here: model gives them
/// names.
/// FlowPut::options, bit 0: each peer has a port of its own (addressing: per-peer).
inline constexpr std::uint8_t kFlowPerPeer = 1;
/// Bit 1: by the relay alone (p2p: off).
inline constexpr std::uint8_t kFlowRelayOnly = 2;
/// Bit 2: a dialler's bytes go to all (fanout: copy); TCP.
inline constexpr std::uint8_t kFlowCopy = 4;
/// Bit 3: the target first hears who dials (proxy_protocol: on); TCP.
inline constexpr std::uint8_t kFlowProxy = 8;
/// Bits 4 and 5: how datagrams go to several receivers (fanout), the number of model's Spread; UDP.
inline constexpr unsigned kFlowSpreadShift = 4;
inline constexpr std::uint8_t kFlowSpread = 0x30;
/// Receivers of one group frame: 16 tags of 8 bytes beside 1,200 bytes of text make a datagram of
/// 1,360, which a 1,400-byte path takes.
inline constexpr std::size_t kMaxGroup = 16;
struct FlowPut {
  struct Member {
    ClientNo number;
    std::uint8_t direction = 0;  ///< bit 0: send to it, bit 1: receive from it
    bool operator==(const Member&) const = default;
  };
  FlowNo number;
  std::uint8_t protocol = 17;
  std::uint16_t port = 0;
  std::uint8_t options = 0;
  std::uint8_t deliver = 0;
  Endpoint deliver_to;
  std::string name;
  std::vector<Member> members;    ///< of a TCP flow, in the order of preference
  std::uint32_t copy_buffer = 0;  ///< of kFlowCopy: how far a receiver may be behind, bytes
  std::uint8_t priority = 1;      ///< 0 high, 1 normal, 2 low
  std::uint16_t max_age = 0;      ///< ms that a datagram may wait for the uplink; 0: as usual
  std::uint32_t rate = 0;         ///< kbit/s of IP packets on the uplink, at most; 0: no limit
};
struct FlowRemove {
  FlowNo number;
};
/// Everything has been said: what was not named since the stream began is gone.
struct Sync {
  std::uint32_t revision = 0;
};
struct EnrolAnswer {
  std::uint8_t result = 0;
  ClientNo number;
};
/// The server relays a flow of the receiver by a port of its own, too.
struct RelayPort {
  FlowNo flow;
  std::uint16_t port = 0;  ///< on the server's address in use; 0: no longer
};
/// The binding's key is the session's, so it does not travel.
struct EnrolRequest {
  KeyBinding binding;  ///< with chain; key left zero by decode
};
/// A flow that the receiver may join or leave by itself. Bit n of a mask: model's n-th Side.
struct FlowOffer {
  FlowNo number;
  std::uint8_t protocol = 17;
  std::uint16_t port = 0;
  std::uint8_t sides = 0;   ///< that it may join and leave
  std::uint8_t joined = 0;  ///< on which it stands, whoever put it there
  std::string name;
};
struct FlowOfferRemove {
  FlowNo number;
};
/// "Put me on this side of the flow", or "take me off".
struct MembershipRequest {
  static constexpr std::uint8_t kAnySide = 0xff;  ///< the only one that may be meant
  std::uint32_t ticket = 0;
  bool join = true;
  std::uint8_t side = kAnySide;
  std::string flow;
};
struct MembershipAnswer {
  std::uint32_t ticket = 0;
  std::string reason;  ///< why not, in one sentence of at most 255 bytes; empty when it is done
};
/// Where a peer may be reached, as far as the server knows, and under which key openers go there.
/// It follows the peer's PeerPut.
struct PeerAddress {
  ClientNo number;
  bool p2p = true;  ///< false: relay only, as routes.yaml wants it; the rest is then empty
  ProbeKey probe_key{};
  NatReport report;  ///< its own word; but `mapped` is what the server sees
};
/// How this network punches (routes.yaml, p2p).
struct PunchSettings {
  std::uint16_t forbidden = 0;  ///< bit n: the n-th Strategy is not used
  std::uint8_t forced = 0;      ///< this Strategy alone; 0: all that are not forbidden
  bool strict_keepalive = false;
  std::uint16_t most_sockets = 256;
  std::uint16_t most_probes = 2048;
  std::uint16_t opens_per_s = 2000;
  std::uint16_t probes_per_s_first = 100;  ///< ramps up to …
  std::uint16_t probes_per_s = 500;        ///< … this, within a second
  bool operator==(const PunchSettings&) const = default;
};
/// A client's NAT, after each check that finds it different.
struct NatNews {
  NatReport report;
};
/// "I want to punch heavily with this peer", and "that is over": one such campaign at a time for
/// each public address, whichever clients are behind it.
struct CampaignAsk {
  ClientNo peer;
  bool begin = true;
  std::uint32_t turn = 0;  ///< that ends; 0: none is known yet, the one that was asked for
};
/// What the server says to it, to both ends.
struct CampaignTurn {
  enum class Answer : std::uint8_t {
    kGranted = 0,    ///< begin now
    kBusyHere = 1,   ///< another campaign runs at the receiver's address: another answer follows
    kBusyThere = 2,  ///< … at the peer's
    kRefused = 3     ///< too many, too often, or no peer to punch with: ask again later
  };
  ClientNo peer;
  Answer answer = Answer::kRefused;
  std::uint32_t turn = 0;  ///< names it; 0 when refused
};
inline constexpr std::uint8_t kTurnAnswers = 4;
/// How this network's TCP flows find their rate (routes.yaml, defaults).
struct StreamSettings {
  std::uint8_t congestion = 0;  ///< 0 BBR, 1 cubic
};
/// "Frames of this group of mine go to these clients, in this order." None: it is no more.
struct GroupPut {
  std::uint16_t group = 0;
  FlowNo flow;
  std::vector<ClientNo> receivers;
};
/// The server's answer to a GroupPut with receivers.
struct GroupAnswer {
  std::uint16_t group = 0;
  bool ready = false;  ///< else it keeps no more groups, or a receiver may not hear the sender
};
/// A piece of what impairs the receiver's datagrams of a flow: see impair_messages. The last one
/// puts all of them in force.
struct FlowImpair {
  static constexpr std::size_t kMostBytes = 16'000;  ///< of one piece: they fit a message
  static constexpr std::size_t kMostPieces = 64;     ///< a table for each of fifteen routes' ways
  FlowNo flow;
  bool first = true;
  bool last = true;
  std::vector<std::uint8_t> bytes;
};
/// What a client knows of one of its links, or of one flow's part of all that carry it:
/// congestion's LinkState as integers. After each change of the verdict, and every 5 s while
/// something is sent.
struct LinkNews {
  ClientNo peer;                ///< 0: all receivers of `flow`
  std::uint8_t way = 0;         ///< 0 by the relay, 1 direct; 0 for a flow
  FlowNo flow;                  ///< 0: the whole link
  std::uint8_t verdict = 0;     ///< the number of its LinkVerdict
  std::uint8_t confidence = 0;  ///< percent
  std::uint16_t loss = 0;       ///< of 10,000
  std::uint32_t age_ms = 0;     ///< of the verdict
  std::uint32_t queue_us = 0;
  std::uint32_t rtt_us = 0;  ///< 0: not known
  std::uint64_t capacity_bps = 0, offered_bps = 0, sent_bps = 0, delivered_bps = 0;
  bool operator==(const LinkNews&) const = default;
};
inline constexpr std::uint8_t kLinkVerdicts = 4;
using StreamMessage =
    std::variant<PeerPut, PeerRemove, FlowPut, FlowRemove, Sync, EnrolAnswer, RelayPort,
                 EnrolRequest, FlowOffer, FlowOfferRemove, MembershipRequest, MembershipAnswer,
                 PeerAddress, PunchSettings, NatNews, CampaignAsk, CampaignTurn, StreamSettings,
                 GroupPut, GroupAnswer, FlowImpair, LinkNews>;

inline constexpr std::size_t kMessageHeader = 3;       ///< kind u8, length u16
inline constexpr std::size_t kMaxMessageBody = 16384;  ///< some 5,000 members of one flow

/// The whole message with its header. Contract: the body is within kMaxMessageBody.
std::vector<std::uint8_t> encode(const StreamMessage& message);

/// What the front of a stream holds.
struct DecodedMessage {
  enum class State : std::uint8_t {
    kIncomplete,  ///< wait for more bytes
    kMessage,     ///< `message`, `consumed` bytes long
    kSkipped,     ///< a kind that may be skipped, `consumed` bytes long
    kBroken       ///< can't be read: the session must end
  };
  State state = State::kIncomplete;
  std::size_t consumed = 0;
  std::optional<StreamMessage> message;
};
DecodedMessage decode_message(Bytes stream);

}  // namespace wormhole
