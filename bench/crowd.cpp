#include "crowd.hpp"

#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "shell/clock.hpp"
#include "shell/socket_address.hpp"
#include "wormhole/state/state_files.hpp"
#include "wormhole/wire/frame.hpp"

namespace wormhole {
namespace {

bool is_data(Bytes bytes) {
  const auto type = static_cast<FrameType>(bytes.empty() ? 0 : bytes[0]);
  return bytes.size() >= Crowd::kDataSize &&
         (type == FrameType::kRelayed || type == FrameType::kGroupDown);
}

}  // namespace

std::string id_of(std::size_t n) { return std::string("c").append(std::to_string(n)); }

KeyPair key_of(std::size_t n) {
  SeededRng rng(1000 + n);
  return KeyPair::generate(rng);
}

std::string begin_routes(const std::string& dir, const Endpoint& server, const std::string& more,
                         std::size_t count) {
  SystemRng rng;
  const auto state = ServerState::open(dir + "/state", rng);
  if (!state) return std::fprintf(stderr, "%s\n", state.error().message.c_str()), "";
  const auto saved =
      save_client_identity(dir + "/one", {id_of(0), key_of(0), "", {server}, state->network()});
  if (!saved) return std::fprintf(stderr, "%s\n", saved.error().message.c_str()), "";
  std::string text = "server:\n  addresses: [" + server.address.to_string() +
                     "]\n  port: " + std::to_string(server.port) + "\n  state_dir: " + dir +
                     "/state\n" + more + "clients:\n";
  for (std::size_t n = 0; n < count; ++n) {
    text += "  " + id_of(n) + ": {p2p: off, key: \"" + to_text(key_of(n).public_key) + "\"}\n";
  }
  return text + "flows:\n";
}

NetworkIdentity network_of(const std::string& dir) {
  const auto identity = load_client_identity(dir + "/one");
  if (identity) return identity->network;
  std::fprintf(stderr, "%s\n", identity.error().message.c_str());
  std::exit(1);
}

Member::Member(std::size_t n, const NetworkIdentity& network, SystemRng& rng)
    : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  const int bytes = 4 << 20;  // as the client's own socket
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_UDP, UDP_GRO, &on, sizeof on);
  ClientConfig config;
  config.id = id_of(n);
  config.keys = key_of(n);
  config.network = network;
  config.boot_id = rng.number<std::uint64_t>() | 1U;
  core = std::make_unique<Client>(std::move(config), rng);
}

Crowd::Crowd(const std::string& dir, std::size_t count, const Endpoint& server)
    : server_(server), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  const auto network = network_of(dir);
  for (std::size_t n = 0; n < count; ++n) {
    members.push_back(std::make_unique<Member>(n, network, rng_));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = members.back().get();
    ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, members.back()->fd.get(), &event);
  }
}

void Crowd::settle(Member& member) {
  for (;;) {
    for (const auto& send : out.net_sends()) {
      const SocketAddress to(send.to);
      ::sendto(member.fd.get(), send.bytes.data(), send.bytes.size(), 0, to.data(), to.size());
    }
    const auto commands = std::exchange(out.commands, {});
    out.clear();
    if (commands.empty()) return;
    for (const auto& command : commands) {
      const auto* open = std::get_if<OpenFlowPort>(&command);
      if (open == nullptr) continue;
      std::erase_if(member.flows, [&](const auto& flow) { return flow.name == open->flow; });
      member.flows.push_back({open->flow, open->port, open->at.port});
      member.core->on_flow_port(open->port, "", core_now(), out);
    }
  }
}

void Crowd::read(Member& member) {
  const int fd = member.fd.get();
  receiver_.drain(fd, [&](std::span<const NetDatagram> batch) {
    for (const auto& datagram : batch) {
      if (counting && is_data(datagram.bytes)) {
        ++data_received;
        continue;
      }
      member.core->on_net_datagrams(SocketNo{0}, {&datagram, 1}, core_now(), out);
      settle(member);
    }
  });
}

void Crowd::tend(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto& member = *members[next_to_tend_];
    next_to_tend_ = (next_to_tend_ + 1) % members.size();
    if (member.core->next_deadline() > core_now()) continue;
    member.core->on_timeout(core_now(), out);
    settle(member);
  }
}

void Crowd::turn(int wait_ms) {
  std::array<epoll_event, 64> events{};
  const int count =
      ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), wait_ms);
  for (int i = 0; i < count; ++i) {
    read(*static_cast<Member*>(events[static_cast<std::size_t>(i)].data.ptr));
  }
  // All of a thousand each turn; of more, a share: each still has its turn within 10 ms or so.
  tend(std::min<std::size_t>(members.size(), 1000));
}

void Crowd::connect() {
  for (auto& member : members) {
    member->core->set_servers({server_}, core_now(), out);
    settle(*member);
    turn();
  }
  for (auto& member : members) {
    while (!member->core->status(core_now()).server.connected) turn();
  }
}

}  // namespace wormhole
