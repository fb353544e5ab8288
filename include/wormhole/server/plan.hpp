// What a configuration means to each client, worked out ahead: a pure function of network and
// directory, so that a thread beside the loop can do it while packets flow.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "wormhole/base/ids.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// What the state directory knows: numbers that must survive restarts, and who has enrolled.
struct Directory {
  struct Entry {
    ClientNo number;
    std::optional<KeyBinding>
        binding;  ///< absent until enrolled; chainless: a key in the YAML that nobody signed
  };
  std::map<std::string, Entry> clients;  ///< every ID of the network has one
  std::map<std::string, FlowNo> flows;   ///< every flow of the network has one
};

/// Who may send to whom on a flow: where in the two members' ClientPlan::flows it stands.
struct Permission {
  static constexpr std::uint16_t kNone = 0xffff;  ///< flow 0, which every two peers share
  std::uint16_t sender_place = kNone;
  std::uint16_t receiver_place = kNone;
  bool operator==(const Permission&) const = default;
};

/// The key of a permission.
constexpr std::uint32_t permission(ClientNo receiver, FlowNo flow) {
  return static_cast<std::uint32_t>(receiver.value) << 16 | flow.value;
}

struct ClientPlan {
  using Message = std::vector<std::uint8_t>;  ///< encoded, of the control stream
  struct Membership {
    FlowNo flow;
    bool on_first_side = false;  ///< see is_on_first_side
    bool operator==(const Membership&) const = default;
  };

  ClientNo number;
  std::optional<KeyBinding> binding;
  bool p2p = true;                ///< else every path of it goes by the relay
  std::vector<ClientNo> peers;    ///< that share a flow with it; ascending
  std::vector<Membership> flows;  ///< ascending
  std::unordered_map<std::uint32_t, Permission> may_send;
  std::map<FlowNo, Message> flow_puts;
  std::map<FlowNo, Message> flow_impairs;  ///< of flows on which what it sends is impaired
  std::map<FlowNo, Message> offers;
  bool operator==(const ClientPlan&) const = default;
};

struct ServerPlan {
  Network network;
  std::map<std::string, ClientPlan> clients;
  std::unordered_map<FlowNo, std::string> flow_names;
  /// IDs whose ClientPlan differs from that of the plan with the number `based_on` (new ones too).
  std::vector<std::string> changed;
  std::uint64_t number = 1;    ///< grows from plan to plan
  std::uint64_t based_on = 0;  ///< 0: none
};

/// `before` may be null. Contract: `directory` knows every client and flow of `network`.
std::shared_ptr<const ServerPlan> plan_network(Network network, const Directory& directory,
                                               const ServerPlan* before);

}  // namespace wormhole
