#include "sim/tcp_rig.hpp"

#include <algorithm>

namespace wormhole::sim {

Flow tcp_flow(std::string name, std::uint16_t port, Members from, Members to) {
  Flow flow;
  flow.name = std::move(name);
  flow.protocol = Protocol::kTcp;
  flow.port = port;
  flow.preference = to;
  flow.preference.insert(flow.preference.end(), from.begin(), from.end());
  flow.routes.push_back({Route::Kind::kFromTo, std::move(from), std::move(to), {}});
  return flow;
}

StageOptions with_ssh(LinkProfile link) {
  StageOptions options;
  options.link = link;
  options.more_flows = {tcp_flow("ssh", 2222, {"gcs4"}, {"drone3"})};
  return options;
}

TcpRig::TcpRig(World& in, StageOptions options) : world(in), stage(in, std::move(options)) {
  for (const auto& id : stage.options.clients) {
    auto& tcp = stage.client(id).tcp();
    tcp.on_conversation = [this, &tcp](TcpTalk& talk) {
      const auto plan = plans_.find(talk.conversation);
      if (plan == plans_.end()) return world.violate("a conversation that nobody began");
      talk.to_write = plan->second.down;
      talk.finishes = services_finish;
      tcp.go_on(talk);
    };
  }
}

bool TcpRig::start() {
  if (!stage.start()) return false;
  return world.run_until(
      [this] {
        for (const auto& id : stage.options.clients) {
          for (const auto& flow : stage.client(id).status().flows) {
            if (!flow.tcp) continue;
            const auto& peers = flow.tcp->peers;
            if (!std::all_of(peers.begin(), peers.end(), [](const auto& p) { return p.up; })) {
              return false;
            }
          }
        }
        return true;
      },
      5s);
}

std::uint64_t TcpRig::talk(const std::string& from, const std::string& flow, std::size_t up,
                           std::size_t down) {
  const auto number = next_++;
  plans_[number] = {from, up, down, nullptr};
  auto& tcp = stage.client(from).tcp();
  auto* const talk = tcp.dial(flow, number, up, diallers_finish);
  plans_[number].dialler = talk;
  return number;
}

TcpTalk* TcpRig::dialler(std::uint64_t conversation) { return plans_.at(conversation).dialler; }

TcpTalk* TcpRig::server(std::uint64_t conversation, const std::string& id) {
  auto& talks = stage.client(id).tcp().talks;
  const auto at = std::find_if(talks.begin(), talks.end(), [&](const auto& item) {
    return !item.second.dials && item.second.conversation == conversation;
  });
  return at == talks.end() ? nullptr : &at->second;
}

bool TcpRig::is_whole(std::uint64_t conversation, const std::string& to) {
  const auto& plan = plans_.at(conversation);
  const auto* far = server(conversation, to);
  const auto* near = plan.dialler;
  return near != nullptr && far != nullptr && near->closed && far->closed &&
         near->read == plan.down && far->read == plan.up;
}

bool TcpRig::is_over(std::uint64_t conversation, const std::string& to) {
  const auto* far = server(conversation, to);
  const auto* near = dialler(conversation);
  return (near == nullptr || near->is_over()) && (far == nullptr || far->is_over());
}

std::size_t TcpRig::open_streams(const std::string& id) {
  std::size_t open = 0;
  for (const auto& flow : stage.client(id).status().flows) {
    if (!flow.tcp) continue;
    for (const auto& peer : flow.tcp->peers) open = std::max(open, peer.streams);
  }
  return open;
}

void TcpRig::set_up(const std::string& id, bool up) {
  auto& host = stage.client(id).host();
  host.up.profile.up = host.down.profile.up = up;
}

std::string TcpRig::last_error(const std::string& id, const std::string& name) {
  for (const auto& flow : stage.client(id).status().flows) {
    if (flow.name == name && flow.tcp) return flow.tcp->last_error;
  }
  return "no such flow";
}

}  // namespace wormhole::sim
