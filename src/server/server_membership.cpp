// Clients that put themselves on a side of a flow, as far as self_join lets them.
#include <algorithm>
#include <utility>

#include "server/offers.hpp"
#include "server/server_core.hpp"

namespace wormhole {
void Server::Core::on_membership(ClientRecord& client, const MembershipRequest& request,
                                 TimePoint now, ServerOutbox& out) {
  const auto answer = [&](std::string reason) {
    push(client, encode(MembershipAnswer{request.ticket, std::move(reason)}), now, out);
  };
  const auto& flows = plan->network.flows;
  const auto flow = std::find_if(flows.begin(), flows.end(),
                                 [&](const Flow& f) { return f.name == request.flow; });
  const auto meant = side_meant(flow == flows.end() ? nullptr : &*flow, client.id, request);
  if (const auto* why = std::get_if<std::string>(&meant)) return answer(*why);
  const auto side = std::get<Side>(meant);
  if (stands_on(*flow, client.id, side) == request.join) return answer("");
  client.membership_paid =
      std::max(client.membership_paid, now - kMembershipPause) + kMembershipPause;
  if (client.membership_paid > now + kMembershipPause * kMembershipBurst) {
    client.membership_paid -= kMembershipPause;
    return answer("too many changes; wait some seconds");
  }
  if (memberships.size() >= kMaxMemberships) return answer("the server is busy; try again");
  const auto ticket = next_ticket++;
  memberships[ticket] = {client.number, client.association->boot_id, request.ticket};
  out.commands.emplace_back(
      ChangeMembership{ticket, {request.flow, side, request.join}, client.id});
}

void Server::on_membership_changed(std::uint64_t ticket, const std::string& error, TimePoint now,
                                   ServerOutbox& out) {
  auto& core = *core_;
  const auto pending = core.memberships.extract(ticket);
  if (pending.empty()) return;
  auto* client = core.numbered(pending.mapped().client);
  const bool same_process = client != nullptr && client->is_online() &&
                            client->association->boot_id == pending.mapped().boot_id;
  if (!same_process) return;
  // A reason is one sentence in at most 255 bytes.
  core.push(*client, encode(MembershipAnswer{pending.mapped().ticket, error.substr(0, 255)}), now,
            out);
  core.flush(*client, now, out);
}

}  // namespace wormhole
