// The steps of a datagram through the real cores, so that scripts/instructions.py can count what
// each of them executes under callgrind:
//
//   hot_path [PACKETS]     runs every step; a line "step NAME PACKETS" for each, in order
//
// callgrind collects only within the functions counted_* and writes down what it has at end_step().
// A server and two clients stand in this process, wired to each other, with seeded randomness and a
// clock that stands still during a step: the count depends on nothing but the code.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "unit/client/trio.hpp"

namespace wormhole {

// noipa: kept as functions of these names, whatever the optimiser thinks of it.
extern "C" [[gnu::noipa]] void counted_app(Client& client, std::span<const AppDatagram> batch,
                                           TimePoint now, ClientOutbox& out) {
  client.on_app_datagrams({testing::Trio::kVideo, ClientNo{}}, batch, now, out);
}
extern "C" [[gnu::noipa]] void counted_net(Client& client, std::span<const NetDatagram> batch,
                                           TimePoint now, ClientOutbox& out) {
  client.on_net_datagrams(SocketNo{0}, batch, now, out);
}
extern "C" [[gnu::noipa]] void counted_relay(Server& server, SocketNo socket,
                                             std::span<const NetDatagram> batch, TimePoint now,
                                             ServerOutbox& out) {
  server.on_net_datagrams(socket, batch, now, out);
}
extern "C" [[gnu::noipa]] void end_step() {}

namespace {

constexpr std::size_t kPayload = 1200;    // one packet of a video stream
constexpr std::size_t kReceivers = 3;     // that share an upload: a drone's ground stations
constexpr std::size_t kFewPackets = 512;  // the count per packet does not change with more

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "hot_path: %s\n", why.c_str());
  std::exit(1);
}

/// Datagrams of one step, each with its own memory, as the shell's receiver has it.
using Datagrams = std::vector<std::vector<std::uint8_t>>;

/// drone3 sends video to gcs4, by the relay or directly; or by one upload to it and others.
class Way {
 public:
  Way(bool direct, std::size_t packets, std::size_t receivers = 1)
      : direct_(direct), packets_(packets), trio_(direct, receivers) {
    trio_.only_shared_port = true;
    if (direct) tell_addresses();
    if (receivers > 1) trio_.warm_up_group();
    trio_.run(5s);
    trio_.app_send(0, testing::Trio::kVideo, "the flow's keys are made");
    trio_.run(5s);
    const auto path = trio_.clients[0]->status(trio_.now).peers.at(0).path;
    if (path != (direct ? PathKind::kDirect : PathKind::kRelay))
      fail("not the path wanted: " + trio_.clients[0]->status(trio_.now).peers.at(0).reason);
  }

  /// Application → sealed frame. Returns what would leave.
  Datagrams send(std::size_t batch_size) {
    Datagrams memory(packets_, std::vector<std::uint8_t>(kHeadroom + kPayload + kTailroom));
    Datagrams wire;
    auto& out = trio_.client_out[0];
    in_batches(memory, batch_size, [&](auto first, auto last) {
      std::vector<AppDatagram> batch;
      for (auto at = first; at != last; ++at) {
        batch.push_back({testing::kAppAt, MutBytes(*at).subspan(kHeadroom, kPayload)});
      }
      counted_app(*trio_.clients[0], batch, trio_.now, out);
      keep(out, direct_ ? testing::kClientAt[1] : testing::kServerAt, wire);
    });
    return checked(std::move(wire));
  }

  /// Frame of the sender → frame for the receiver.
  Datagrams relay(Datagrams frames, std::size_t batch_size) {
    Datagrams wire;
    in_batches(frames, batch_size, [&](auto first, auto last) {
      const auto batch = arrived(first, last, testing::kClientAt[0]);
      counted_relay(*trio_.server, SocketNo{0}, batch, trio_.now, trio_.server_out);
      keep(trio_.server_out, testing::kClientAt[1], wire);
    });
    return checked(std::move(wire));
  }

  /// Frame → application.
  void receive(Datagrams frames, std::size_t batch_size) {
    std::size_t delivered = 0;
    auto& out = trio_.client_out[1];
    in_batches(frames, batch_size, [&](auto first, auto last) {
      const auto batch = arrived(first, last, direct_ ? testing::kClientAt[0] : testing::kServerAt);
      counted_net(*trio_.clients[1], batch, trio_.now, out);
      delivered += out.app_sends().size();
      out.clear();
    });
    if (delivered != packets_) fail("not every packet was delivered");
  }

 private:
  void tell_addresses() {
    for (std::size_t who = 0; who < 2; ++who) {
      const auto& at = testing::kClientAt[who];
      trio_.clients[who]->on_network_change({{at.address}, at.port}, trio_.now,
                                            trio_.client_out[who]);
    }
  }

  template <typename Work>
  static void in_batches(Datagrams& all, std::size_t size, const Work& work) {
    for (auto first = all.begin(); first != all.end();) {
      const auto left = static_cast<std::size_t>(all.end() - first);
      const auto last = first + static_cast<std::ptrdiff_t>(std::min(size, left));
      work(first, last);
      first = last;
    }
  }

  static std::vector<NetDatagram> arrived(Datagrams::iterator first, Datagrams::iterator last,
                                          const Endpoint& from) {
    std::vector<NetDatagram> batch;
    for (; first != last; ++first) batch.push_back({from, *first});
    return batch;
  }

  /// Copies what goes to `to` out of a tray, which is emptied.
  static void keep(Outbox& out, const Endpoint& to, Datagrams& wire) {
    for (const auto& send : out.net_sends()) {
      if (send.to == to) wire.push_back(send.copy());
    }
    out.clear();
  }

  Datagrams checked(Datagrams wire) const {
    if (wire.size() != packets_) fail("not one frame for each packet");
    return wire;
  }

  bool direct_;
  std::size_t packets_;
  testing::Trio trio_;
};

void end(const std::string& step, std::size_t batch, std::size_t packets) {
  end_step();
  std::printf("step %s/%zu %zu\n", step.c_str(), batch, packets);
}

/// Batches of one are what slow senders make; of sixteen, what a video's burst makes.
void run(std::size_t packets) {
  Way relayed(false, packets);
  Way direct(true, packets);
  Way group(false, packets, kReceivers);
  for (const std::size_t batch : {1U, 16U}) {
    auto up = relayed.send(batch);
    end("send_relayed", batch, packets);
    auto down = relayed.relay(std::move(up), batch);
    end("relay", batch, packets);
    relayed.receive(std::move(down), batch);
    end("receive_relayed", batch, packets);
    auto across = direct.send(batch);
    end("send_direct", batch, packets);
    direct.receive(std::move(across), batch);
    end("receive_direct", batch, packets);
    auto once = group.send(batch);
    end("send_group", batch, packets);
    auto copies = group.relay(std::move(once), batch);
    end("relay_group", batch, packets);
    group.receive(std::move(copies), batch);
    end("receive_group", batch, packets);
  }
}

}  // namespace
}  // namespace wormhole

int main(int argc, char** argv) {
  const auto packets = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : wormhole::kFewPackets;
  if (packets == 0) wormhole::fail("hot_path [PACKETS]: packets are counted from 1 on");
  std::printf("compiler g++-%d\n", __GNUC__);
  wormhole::run(packets);
}
