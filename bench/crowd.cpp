// A thousand clients on one server: how long an edit over REST takes until it is in force at all
// that it concerns.
//
//   crowd prepare DIR N      makes DIR/state and DIR/routes.yaml: clients c0…, each with its key,
//   and flows crowd edit DIR N EDITS   connects the N clients to the server that runs there, then
//   edits a flow of ten of
//                            them EDITS times; one line of JSON
//
// The clients are real cores on real sockets, all in this process and thread; the edit is a
// blocking PATCH on a second thread. From just before the request until the last of the ten has
// been told to open the flow's new port.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "shell/clock.hpp"
#include "shell/file_descriptor.hpp"
#include "shell/socket_address.hpp"
#include "wormhole/api/http_client.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/crypto/keys.hpp"
#include "wormhole/shell/system_rng.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {
namespace {

constexpr std::uint16_t kPort = 17700;
constexpr std::uint16_t kRest = 17780;
constexpr std::size_t kMembers = 10;  // of the flow that is edited
const Endpoint kServer{IpAddress::v4(127, 0, 0, 1), kPort};

std::string id_of(std::size_t n) { return std::string("c").append(std::to_string(n)); }

/// The same key for the same client in both steps; worthless outside this benchmark.
KeyPair key_of(std::size_t n) {
  SeededRng rng(1000 + n);
  return KeyPair::generate(rng);
}

int prepare(const std::string& dir, std::size_t count) {
  SystemRng rng;
  const auto state = ServerState::open(dir + "/state", rng);
  if (!state) return std::fprintf(stderr, "%s\n", state.error().message.c_str()), 1;
  // What a client must know of the network, for the second step.
  const auto saved =
      save_client_identity(dir + "/one", {id_of(0), key_of(0), "", {kServer}, state->network()});
  if (!saved) return std::fprintf(stderr, "%s\n", saved.error().message.c_str()), 1;
  std::ofstream file(dir + "/routes.yaml");
  file << "server:\n  addresses: [127.0.0.1]\n  port: " << kPort << "\n  state_dir: " << dir
       << "/state\n  rest: {listen: \"127.0.0.1:" << kRest << "\"}\nclients:\n";
  for (std::size_t n = 0; n < count; ++n) {
    file << "  " << id_of(n) << ": {key: \"" << to_text(key_of(n).public_key) << "\"}\n";
  }
  file << "flows:\n  edited: {protocol: udp, port: 20000, mesh: [";
  for (std::size_t n = 0; n < kMembers; ++n) file << (n > 0 ? ", " : "") << id_of(n);
  file << "]}\n";
  for (std::size_t n = 0; n + 1 < count; n += 2) {
    file << "  f" << n << ": {protocol: udp, port: " << 21000 + n << ", between: [" << id_of(n)
         << ", " << id_of(n + 1) << "]}\n";
  }
  return 0;
}

/// One client core on one socket.
struct Member {
  Member(std::size_t n, const NetworkIdentity& network, SystemRng& rng)
      : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        out(std::size_t{64} << 10, 256) {
    ClientConfig config;
    config.id = id_of(n);
    config.keys = key_of(n);
    config.network = network;
    config.boot_id = rng.number<std::uint64_t>() | 1U;
    core = std::make_unique<Client>(std::move(config), rng);
  }

  /// Sends what the core has said; notes the port of the edited flow.
  void settle() {
    while (true) {
      for (const auto& send : out.net_sends()) {
        const SocketAddress to(send.to);
        ::sendto(fd.get(), send.bytes.data(), send.bytes.size(), 0, to.data(), to.size());
      }
      const auto commands = std::exchange(out.commands, {});
      out.clear();
      if (commands.empty()) return;
      for (const auto& command : commands) {
        const auto* open = std::get_if<OpenFlowPort>(&command);
        if (open == nullptr) continue;
        if (open->flow == "edited") edited_port = open->at.port;
        core->on_flow_port(open->port, "", core_now(), out);
      }
    }
  }

  void read() {
    std::array<std::uint8_t, 2048> room{};
    for (;;) {
      const auto size = ::recv(fd.get(), room.data(), room.size(), 0);
      if (size <= 0) return;
      const NetDatagram datagram{kServer, MutBytes(room).first(static_cast<std::size_t>(size))};
      core->on_net_datagrams(SocketNo{0}, {&datagram, 1}, core_now(), out);
      settle();
    }
  }

  FileDescriptor fd;
  ClientOutbox out;
  std::unique_ptr<Client> core;
  std::uint16_t edited_port = 0;
};

struct Crowd {
  Crowd(std::size_t count, const NetworkIdentity& network) {
    for (std::size_t n = 0; n < count; ++n) {
      members.push_back(std::make_unique<Member>(n, network, rng));
      polls.push_back({members.back()->fd.get(), POLLIN, 0});
    }
  }

  void turn() {
    ::poll(polls.data(), polls.size(), 1);
    for (std::size_t n = 0; n < polls.size(); ++n) {
      if ((polls[n].revents & POLLIN) != 0) members[n]->read();
      if (members[n]->core->next_deadline() > core_now()) continue;
      members[n]->core->on_timeout(core_now(), members[n]->out);
      members[n]->settle();
    }
  }

  void connect() {
    for (auto& member : members) {
      member->core->set_servers({kServer}, core_now(), member->out);
      member->settle();
      turn();
    }
    for (auto& member : members) {
      while (!member->core->status(core_now()).server.connected) turn();
    }
  }

  bool all_on(std::uint16_t port) const {
    return std::all_of(members.begin(), members.begin() + kMembers,
                       [port](const auto& m) { return m->edited_port == port; });
  }

  SystemRng rng;
  std::vector<std::unique_ptr<Member>> members;
  std::vector<pollfd> polls;
};

/// Milliseconds until all members of the flow have the new port.
double one_edit(Crowd& crowd, std::uint16_t port) {
  const auto start = std::chrono::steady_clock::now();
  std::thread caller([port] {
    const auto answer =
        http_request(Endpoint{IpAddress::v4(127, 0, 0, 1), kRest}, "PATCH", "/v1/flows/edited",
                     std::string("{\"port\":").append(std::to_string(port)).append("}"));
    const auto* got = std::get_if<HttpAnswer>(&answer);
    if (got == nullptr || got->status != 200) std::abort();
  });
  while (!crowd.all_on(port)) crowd.turn();
  const auto took = std::chrono::steady_clock::now() - start;
  caller.join();
  return std::chrono::duration<double, std::milli>(took).count();
}

int edit(const std::string& dir, std::size_t count, std::size_t edits) {
  const auto network = load_client_identity(dir + "/one");
  if (!network) return std::fprintf(stderr, "%s\n", network.error().message.c_str()), 1;
  Crowd crowd(count, network->network);
  crowd.connect();
  while (!crowd.all_on(20000)) crowd.turn();
  std::vector<double> took;
  for (std::size_t n = 0; n < edits; ++n) {
    took.push_back(one_edit(crowd, static_cast<std::uint16_t>(20001 + n)));
  }
  std::sort(took.begin(), took.end());
  std::printf("{\"clients\":%zu,\"edits\":%zu,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f}\n",
              count, edits, took[took.size() / 2], took[(took.size() * 99 + 99) / 100 - 1],
              took.back());
  return 0;
}

}  // namespace
}  // namespace wormhole

int main(int argc, char** argv) {
  wormhole::crypto_init();
  const std::string what = argc > 3 ? argv[1] : "";
  if (what == "prepare") return wormhole::prepare(argv[2], std::strtoul(argv[3], nullptr, 10));
  if (what == "edit" && argc > 4) {
    return wormhole::edit(argv[2], std::strtoul(argv[3], nullptr, 10),
                          std::strtoul(argv[4], nullptr, 10));
  }
  std::fprintf(stderr, "crowd prepare DIR N | crowd edit DIR N EDITS\n");
  return 2;
}
