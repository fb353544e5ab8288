#include "wormhole/server/plan.hpp"

#include <algorithm>
#include <utility>

#include "server/offers.hpp"
#include "wormhole/model/routing.hpp"
#include "wormhole/wire/impairment.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {
namespace {

FlowPut flow_put(FlowNo number, const MemberFlow& member, const std::string& id,
                 const Directory& directory) {
  const auto& flow = *member.flow;
  const auto& deliver = flow.deliver_of(id);
  FlowPut message;
  message.number = number;
  message.protocol = static_cast<std::uint8_t>(flow.protocol);
  message.port = flow.port;
  if (flow.addressing == Addressing::kPerPeer) message.options |= kFlowPerPeer;
  if (!flow.p2p) message.options |= kFlowRelayOnly;
  if (flow.fanout == Fanout::kCopy) {
    message.options |= kFlowCopy;
    message.copy_buffer = flow.copy_buffer;
  }
  message.options |=
      static_cast<std::uint8_t>(static_cast<unsigned>(flow.spread) << kFlowSpreadShift);
  if (flow.proxy_protocol) message.options |= kFlowProxy;
  message.priority = static_cast<std::uint8_t>(flow.priority);
  message.max_age = flow.max_age_ms;
  message.rate = flow.rate_kbps;
  message.deliver = static_cast<std::uint8_t>(deliver.kind);
  message.deliver_to = deliver.endpoint;
  message.name = flow.name;
  const auto add = [&](const std::string& peer, Direction direction) {
    message.members.push_back(
        {directory.clients.at(peer).number, static_cast<std::uint8_t>(direction)});
  };
  if (flow.protocol == Protocol::kUdp) {
    for (const auto& [peer, direction] : member.peers) add(peer, direction);
    return message;
  }
  for (const auto& peer : flow.preference) {
    const auto at = member.peers.find(peer);
    if (at != member.peers.end()) add(peer, at->second);
  }
  return message;
}

/// What impairs what `id` sends on a flow, by what its receivers have in common.
std::vector<ImpairPart> impair_parts(const MemberFlow& member, const std::string& id,
                                     const Directory& directory) {
  std::vector<ImpairPart> parts;
  std::size_t receivers = 0;
  for (const auto& [peer, direction] : member.peers) {
    if (!may_send(direction)) continue;
    ++receivers;
    const auto* profile = impairment_of(*member.flow, id, peer);
    if (profile == nullptr) continue;
    auto at = std::find_if(parts.begin(), parts.end(),
                           [&](const auto& part) { return part.profile == *profile; });
    if (at == parts.end()) at = parts.insert(parts.end(), {*profile, {}});
    at->receivers.push_back(directory.clients.at(peer).number);
  }
  for (auto& part : parts) {
    std::sort(part.receivers.begin(), part.receivers.end());
    if (part.receivers.size() == receivers) part.receivers.clear();  // all of them
  }
  return parts;
}

/// Number, memberships and what it is told of them.
ClientPlan plan_client(const std::string& id, const std::vector<MemberFlow>& flows,
                       const Directory& directory) {
  ClientPlan plan;
  const auto& known = directory.clients.at(id);
  plan.number = known.number;
  plan.binding = known.binding;
  for (const auto& member : flows) {
    const auto number = directory.flows.at(member.flow->name);
    plan.flows.push_back({number, is_on_first_side(*member.flow, id)});
    plan.flow_puts.emplace(number, encode(flow_put(number, member, id, directory)));
    if (!is_impaired(*member.flow)) continue;
    const auto parts = impair_parts(member, id, directory);
    if (!parts.empty()) plan.flow_impairs.emplace(number, impair_messages(number, parts));
  }
  std::sort(plan.flows.begin(), plan.flows.end(),
            [](const auto& a, const auto& b) { return a.flow < b.flow; });
  return plan;
}

std::uint16_t place_of(const ClientPlan& plan, FlowNo flow) {
  const auto at = std::lower_bound(plan.flows.begin(), plan.flows.end(), flow,
                                   [](const auto& m, FlowNo f) { return m.flow < f; });
  return static_cast<std::uint16_t>(at - plan.flows.begin());
}

/// Whom the client may send to, and who its peers are.
void permit(ClientPlan& plan, const std::vector<MemberFlow>& flows, const Directory& directory,
            const std::map<std::string, ClientPlan>& all) {
  for (const auto& member : flows) {
    const auto flow = directory.flows.at(member.flow->name);
    for (const auto& [peer, direction] : member.peers) {
      const auto& other = all.at(peer);
      plan.peers.push_back(other.number);
      plan.may_send.try_emplace(permission(other.number, FlowNo{0}));
      if (!may_send(direction)) continue;
      plan.may_send[permission(other.number, flow)] = {place_of(plan, flow), place_of(other, flow)};
    }
  }
  std::sort(plan.peers.begin(), plan.peers.end());
  plan.peers.erase(std::unique(plan.peers.begin(), plan.peers.end()), plan.peers.end());
}

void note_changes(ServerPlan& plan, const ServerPlan* before) {
  if (before != nullptr) {
    plan.based_on = before->number;
    plan.number = before->number + 1;
  }
  for (const auto& [id, client] : plan.clients) {
    const auto old = before == nullptr ? nullptr : &before->clients;
    const auto at = old == nullptr ? plan.clients.end() : old->find(id);
    if (old == nullptr || at == old->end() || !(at->second == client)) plan.changed.push_back(id);
  }
}

}  // namespace

std::shared_ptr<const ServerPlan> plan_network(Network network, const Directory& directory,
                                               const ServerPlan* before) {
  auto plan = std::make_shared<ServerPlan>();
  plan->network = std::move(network);
  const auto routing = resolve(plan->network);
  static const std::vector<MemberFlow> no_flows;
  const auto flows_of = [&](const std::string& id) -> const std::vector<MemberFlow>& {
    const auto at = routing.find(id);
    return at == routing.end() ? no_flows : at->second;
  };
  for (const auto& entry : plan->network.clients) {
    auto& made = plan->clients[entry.id];
    made = plan_client(entry.id, flows_of(entry.id), directory);
    made.p2p = entry.p2p;
  }
  for (auto& [id, client] : plan->clients) {
    permit(client, flows_of(id), directory, plan->clients);
  }
  for (const auto& flow : plan->network.flows) {
    plan->flow_names.emplace(directory.flows.at(flow.name), flow.name);
    for (const auto& [side, members] : flow.self_join) {
      for (const auto& id : members) {
        const auto number = directory.flows.at(flow.name);
        plan->clients.at(id).offers[number] = encode(offer_to(id, flow, number));
      }
    }
  }
  note_changes(*plan, before);
  return plan;
}

}  // namespace wormhole
