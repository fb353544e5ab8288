// Relay ports: who may use which, and that nothing that is not proven moves anything.
#include <gtest/gtest.h>

#include "unit/server/hop_line.hpp"

namespace wormhole {
namespace {

using testing::HopLine;
using testing::Link;

Flow mavlink() {
  Flow flow;
  flow.name = "mavlink";
  flow.port = 14550;
  flow.routes.push_back({Route::Kind::kBetween, {"drone3"}, {"gcs4"}, {}});
  return flow;
}

/// drone3 and gcs4, whose flow has been relayed: each has been given a port.
class RelayPorts : public ::testing::Test {
 protected:
  static constexpr FlowNo kFlow{1};

  RelayPorts() : line({"drone3", "gcs4"}, {mavlink()}) {
    drone = line.link("drone3", 1, "203.0.113.8:1001");
    gcs = line.link("gcs4", 2, "203.0.113.9:1002");
    line.talk(*drone);
    line.talk(*gcs);
    send(*drone, ClientNo{2});
    sweep();
  }

  /// A sealed frame of the flow, as far as the server looks.
  void send(Link& from, ClientNo to) {
    std::vector<std::uint8_t> memory(100);
    write_header({FrameType::kRelayed, kNoFlags, kFlow, make_index(to, 0), 1}, memory.data());
    ASSERT_TRUE(from.hop.relay(MutBytes(memory).first(60), from.out));
    carry(from);
  }

  /// The server's timer, and what it says.
  void sweep() {
    line.now += 500ms;
    line.server->on_timeout(line.now, line.server_out);
    settle();
  }

  void carry(Link& from) { carry(from, from.at); }
  /// What the link has said, as coming from `at`; where each datagram was for is kept.
  void carry(Link& from, const Endpoint& at) {
    while (!from.out.net_sends().empty()) {
      std::vector<std::pair<Endpoint, std::vector<std::uint8_t>>> said;
      for (const auto& one : from.out.net_sends()) {
        said.emplace_back(one.to, std::vector<std::uint8_t>(one.bytes.begin(), one.bytes.end()));
      }
      from.out.clear();
      for (auto& [to, bytes] : said) arrive(socket_of(to.port), at, bytes);
    }
  }

  void arrive(SocketNo socket, const Endpoint& from, std::vector<std::uint8_t> bytes) {
    const NetDatagram datagram{from, bytes};
    line.server->on_net_datagrams(socket, {&datagram, 1}, line.now, line.server_out);
    settle();
  }

  void settle() {
    for (;;) {
      for (const auto& one : line.server_out.net_sends()) {
        answers.push_back({one.socket, one.to});
        for (auto* link : {drone.get(), gcs.get()}) {
          if (link->at != one.to || deaf) continue;
          std::vector<std::uint8_t> bytes(one.bytes.begin(), one.bytes.end());
          const Endpoint from{HopLine::kServer.address, port_of(one.socket)};
          if (bytes[0] == 0x11) continue;
          link->hop.on_datagram(SocketNo{0}, {from, bytes}, line.now, link->out, link->events);
        }
      }
      const auto commands = std::exchange(line.server_out.commands, {});
      line.server_out.clear();
      if (commands.empty()) break;
      for (const auto& command : commands) {
        if (const auto* open = std::get_if<OpenRelayPort>(&command)) {
          sockets[open->port] = open->socket;
          line.server->on_relay_port(open->socket, RelayPortAnswer::kOpen, "", line.now,
                                     line.server_out);
        }
      }
    }
    for (auto* link : {drone.get(), gcs.get()}) follow(*link);
  }

  /// What Client does with the server's news.
  void follow(Link& link) {
    for (const auto& event : std::exchange(link.events, {})) {
      const auto* message = std::get_if<StreamMessage>(&event);
      const auto* news = message != nullptr ? std::get_if<RelayPort>(message) : nullptr;
      if (news == nullptr) continue;
      told[link.at] = news->port;
      link.hop.set_relay_port(news->flow, news->port, line.now);
    }
  }

  void tick(Link& link) {
    link.hop.on_timeout(line.now, link.out, link.events);
    carry(link);
  }

  SocketNo socket_of(std::uint16_t port) const {
    const auto at = sockets.find(port);
    return at == sockets.end() ? SocketNo{0} : at->second;
  }
  std::uint16_t port_of(SocketNo socket) const {
    for (const auto& [port, number] : sockets) {
      if (number == socket) return port;
    }
    return HopLine::kServer.port;
  }

  struct Answer {
    SocketNo socket;
    Endpoint to;
  };
  HopLine line;
  std::unique_ptr<Link> drone;
  std::unique_ptr<Link> gcs;
  std::map<std::uint16_t, SocketNo> sockets;
  std::map<Endpoint, std::uint16_t> told;
  std::vector<Answer> answers;
  bool deaf = false;  ///< the links hear nothing
};

TEST_F(RelayPorts, MembersOfARelayedFlowGetOneOfTheirSideAndUseItOnceItAnswers) {
  EXPECT_EQ(told[drone->at], 2000);
  EXPECT_EQ(told[gcs->at], 3000);
  EXPECT_EQ(drone->hop.relay_port(kFlow), 0);  // not probed yet
  tick(*drone);
  tick(*gcs);
  EXPECT_EQ(drone->hop.relay_port(kFlow), 2000);
  EXPECT_EQ(gcs->hop.relay_port(kFlow), 3000);
  answers.clear();
  send(*drone, ClientNo{2});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(port_of(answers[0].socket), 3000);
  EXPECT_EQ(answers[0].to, gcs->at);
  EXPECT_EQ(line.counter("relayed_by_port"), 1U);
}

TEST_F(RelayPorts, TheServerSendsByAPortOnlyToWhoHearsItThere) {
  deaf = true;  // gcs4's pings arrive, the answers don't
  tick(*gcs);
  deaf = false;
  answers.clear();
  send(*drone, ClientNo{2});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].socket, SocketNo{0});
}

TEST_F(RelayPorts, WhoHasNotBeenHeardForThreePingsGetsItByTheSharedPort) {
  tick(*drone);
  tick(*gcs);
  line.now += 1400ms;
  answers.clear();
  send(*drone, ClientNo{2});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(port_of(answers[0].socket), 3000);
  line.now += 100ms;
  answers.clear();
  send(*drone, ClientNo{2});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].socket, SocketNo{0});
}

TEST_F(RelayPorts, DatagramsProlongWhatAPingHasProven) {
  tick(*drone);
  tick(*gcs);
  for (int i = 0; i < 4; ++i) {
    line.now += 1s;
    send(*gcs, ClientNo{1});  // by its port: it counts as heard there
  }
  answers.clear();
  send(*drone, ClientNo{2});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(port_of(answers[0].socket), 3000);
}

TEST_F(RelayPorts, FramesOnAPortMoveThePortAndNotTheSession) {
  const auto elsewhere = *Endpoint::parse("203.0.113.77:7");
  drone->hop.on_timeout(line.now, drone->out, drone->events);
  const auto before = line.server->status(line.now).clients[0].address;
  // As a NAT with a mapping for each destination shows it: its pings by the port come from there.
  std::vector<std::vector<std::uint8_t>> by_port;
  for (const auto& one : drone->out.net_sends()) {
    if (one.to.port == 2000) by_port.emplace_back(one.bytes.begin(), one.bytes.end());
  }
  drone->out.clear();
  ASSERT_EQ(by_port.size(), 1U);
  answers.clear();
  arrive(socket_of(2000), elsewhere, by_port[0]);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].to, elsewhere);
  EXPECT_EQ(port_of(answers[0].socket), 2000);
  EXPECT_EQ(line.server->status(line.now).clients[0].address, before);
  answers.clear();
  arrive(socket_of(2000), *Endpoint::parse("203.0.113.66:6"), by_port[0]);  // again: a replay
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(line.counter("replayed"), 1U);
}

TEST_F(RelayPorts, PingsOnAPortOfSomebodyElseAreCountedAndNotAnswered) {
  gcs->hop.set_relay_port(kFlow, 2000, line.now);
  gcs->hop.on_timeout(line.now, gcs->out, gcs->events);
  answers.clear();
  carry(*gcs);
  EXPECT_EQ(line.counter("relay_port_not_theirs"), 1U);
  for (const auto& answer : answers) EXPECT_EQ(answer.socket, SocketNo{0});
  EXPECT_EQ(gcs->hop.relay_port(kFlow), 0);
}

TEST_F(RelayPorts, StrangersAreNotAnswered) {
  const auto stranger = *Endpoint::parse("192.0.2.66:6");
  const auto port = socket_of(2000);
  answers.clear();
  std::vector<std::uint8_t> frame(60);
  write_header({FrameType::kDirect, kNoFlags, FlowNo{0}, make_index(ClientNo{1}, 99), 1},
               frame.data());
  arrive(port, stranger, frame);  // a session that nobody has
  EXPECT_EQ(line.counter("unknown_session"), 1U);
  write_header({FrameType::kDirect, kNoFlags, FlowNo{0}, make_index(ClientNo{1}, 2), 9},
               frame.data());
  arrive(port, stranger, frame);  // drone3's, but not by it
  EXPECT_EQ(line.counter("forged") + line.counter("unknown_session"), 2U);
  const auto newcomer = line.link("drone3", 3, "203.0.113.8:1003");
  arrive(port, newcomer->at, newcomer->take().at(0));  // an INIT: only the shared port introduces
  arrive(port, stranger, {});
  EXPECT_EQ(line.counter("malformed"), 2U);
  EXPECT_TRUE(answers.empty());
}

TEST_F(RelayPorts, DatagramsFromASourceThatIsNotBoundToThePortAreDropped) {
  tick(*drone);
  std::vector<std::uint8_t> memory(100);
  write_header({FrameType::kRelayed, kNoFlags, kFlow, make_index(ClientNo{2}, 0), 1},
               memory.data());
  ASSERT_TRUE(drone->hop.relay(MutBytes(memory).first(60), drone->out));
  const auto genuine = drone->take().at(0);
  answers.clear();
  arrive(socket_of(2000), *Endpoint::parse("203.0.113.8:4444"), genuine);
  EXPECT_EQ(line.counter("relay_unknown_source"), 1U);
  arrive(socket_of(3000), drone->at, genuine);  // gcs4's port
  EXPECT_EQ(line.counter("relay_unknown_source"), 2U);
  auto forged = genuine;
  forged.back() ^= 1;
  arrive(socket_of(2000), drone->at, forged);
  EXPECT_EQ(line.counter("relay_bad_tag"), 1U);
  EXPECT_TRUE(answers.empty());
  arrive(socket_of(2000), drone->at, genuine);
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(RelayPorts, WhenTheClientMovesItsPortsAreDoubtedUntilHeardAgain) {
  tick(*drone);
  tick(*gcs);
  line.now += HopLink::kIdlePing;
  gcs->at = *Endpoint::parse("203.0.113.9:2222");
  gcs->hop.on_timeout(line.now, gcs->out, gcs->events);
  std::vector<std::vector<std::uint8_t>> shared;
  for (const auto& one : gcs->out.net_sends()) {
    if (one.to.port == HopLine::kServer.port) {
      shared.emplace_back(one.bytes.begin(), one.bytes.end());
    }
  }
  gcs->out.clear();
  for (const auto& bytes : shared) arrive(SocketNo{0}, gcs->at, bytes);
  answers.clear();
  send(*drone, ClientNo{2});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].socket, SocketNo{0});
  EXPECT_EQ(answers[0].to, gcs->at);
}

}  // namespace
}  // namespace wormhole
