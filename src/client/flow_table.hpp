// The flows that this client is a member of, and their ports.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/flow_impairment.hpp"
#include "client/local_port.hpp"
#include "client/tcp_bridge.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/group/flow_groups.hpp"
#include "wormhole/model/routing.hpp"
#include "wormhole/peer/peer.hpp"
#include "wormhole/shaper/shaper.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

/// Largest UDP payload over IPv4: 65,535 less 20 IP and 8 UDP.
inline constexpr std::size_t kMaxAppDatagram = 65507;

struct FlowDrops {
  std::uint64_t too_large = 0;
  std::uint64_t no_peer = 0;  ///< nobody to send to on this flow
  std::uint64_t peer_offline = 0;
  std::uint64_t no_server = 0;
  std::uint64_t key_used_up = 0;
  std::uint64_t overload = 0;        ///< no room in the tray
  std::uint64_t no_application = 0;  ///< arrived, but nobody listens
};

struct Traffic {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t packets_at_tick = 0;
  std::uint64_t bytes_at_tick = 0;
  double pps = 0;  ///< of the last second
  double bps = 0;
  void add(std::size_t size) {
    ++packets;
    bytes += size;
  }
  void tick(Duration since_last);
};

struct FlowPort {
  FlowRef ref;
  Protocol protocol = Protocol::kUdp;
  std::uint16_t port = 0;
  Deliver deliver;
  std::vector<FlowPut::Member> members;  ///< by client number, ascending
  std::vector<std::uint16_t> send_to;    ///< peer slots, ascending; see FlowTable::relink
  ShaperTerms terms;                     ///< on a full uplink
  bool queues = false;  ///< its datagrams wait in the shaper: the uplink is full, or it has a limit
  std::unique_ptr<FlowImpairment> impairment;  ///< null: nothing impairs what is sent
  Spread spread = Spread::kAuto;
  std::unique_ptr<FlowGroups> groups;  ///< UDP, once something has gone to several receivers
  LocalPort local;                     ///< what is sent here goes to everybody in send_to
  Addressing addressing = Addressing::kShared;
  std::map<ClientNo, LocalPort> peer_ports;  ///< kPerPeer: what is sent here goes to one peer
  bool listens = false;                      ///< the ports are wanted open
  std::vector<ClientNo> preference;          ///< TCP: members in the order of routes.yaml
  bool copies = false;                       ///< TCP: fanout: copy
  std::uint32_t copy_buffer = 0;             ///< … and how far a receiver may be behind, bytes
  bool proxy_header = false;                 ///< TCP: the target hears first who dials
  TcpCounts tcp;
  bool named = false;        ///< in the server's snapshot under way
  std::string relay_hint;    ///< why the flow's relay port is not used
  bool said_silent = false;  ///< the log says so already
  Traffic tx;
  Traffic let_go;  ///< of tx, by the shaper, while `queues`
  Traffic rx;
  FlowDrops drops;

  bool may_receive_from(ClientNo number) const;
  bool may_send_to(ClientNo number) const;
  bool may_send_to_any() const;
  /// Null when there is none: not a peer's, or addressing is shared.
  LocalPort* port_of(ClientNo peer);
};

class FlowTable {
 public:
  /// Flows of one client. Names ever seen are kept (keys are by name), so they are bounded as well.
  static constexpr std::size_t kMaxFlows = 4096;
  static constexpr std::size_t kMaxNames = 4 * kMaxFlows;

  FlowTable(IpAddress bind, bool deliver_anywhere)
      : bind_(bind), deliver_anywhere_(deliver_anywhere) {}

  /// Whether the flow's `deliver` names another machine and this client's owner has not allowed
  /// that.
  bool withholds_delivery(const FlowPort& flow) const;

  /// Where a peer's stream of this TCP flow goes; nothing when it is withheld.
  std::optional<Endpoint> target_of(const FlowPort& flow) const;

  /// Null when the flow is unknown.
  FlowPort* find(FlowNo number);
  /// Adds or changes a flow; commands open and close its port where needed. False when there are
  /// too many.
  bool put(const FlowPut& flow, std::vector<ClientCommand>& commands);
  void remove(FlowNo number, std::vector<ClientCommand>& commands);
  void begin_snapshot();
  void end_snapshot(std::vector<ClientCommand>& commands);
  /// Fills send_to of all flows; `slot_of` gives a peer's slot or nothing.
  template <typename SlotOf>
  void relink(SlotOf&& slot_of) {
    for (auto& [number, flow] : flows_) {
      flow->send_to.clear();
      for (const auto& member : flow->members) {
        const auto slot = slot_of(member.number);
        if (slot && may_send(static_cast<Direction>(member.direction))) {
          flow->send_to.push_back(*slot);
        }
      }
      std::sort(flow->send_to.begin(), flow->send_to.end());
    }
  }
  void on_port(AppPort port, const std::string& error, TimePoint now, Outbox& out);
  /// Repeats attempts to open ports, and measures rates.
  void on_timeout(TimePoint now, std::vector<ClientCommand>& commands);
  TimePoint next_deadline() const;
  /// When rates were measured last.
  TimePoint last_tick() const { return last_tick_; }

  const std::map<FlowNo, std::unique_ptr<FlowPort>>& all() const { return flows_; }

 private:
  std::optional<FlowRef> make_ref(FlowNo number, const std::string& name);
  std::optional<Endpoint> fixed_target(const FlowPort& flow) const;
  void close(const FlowPort& flow, std::vector<ClientCommand>& commands) const;
  static void update_port(FlowPort& flow, std::vector<ClientCommand>& commands);
  void update_peer_ports(FlowPort& flow, std::vector<ClientCommand>& commands) const;

  IpAddress bind_;
  bool deliver_anywhere_;
  std::map<FlowNo, std::unique_ptr<FlowPort>> flows_;
  std::vector<FlowPort*> by_number_;  // the data path's look-up; owned by flows_
  std::deque<std::string> names_;     // by slot - kFirstFlowSlot; addresses are stable
  std::unordered_map<std::string_view, FlowSlot> slots_;
  TimePoint last_tick_{};
  TimePoint next_tick_ = kNever;
};

}  // namespace wormhole
