// Options of flows and of the server: addressing, self_join, target, relay, rest.
#include <gtest/gtest.h>

#include "wormhole/config/routes_file.hpp"

namespace wormhole {
namespace {

std::string with_flow(const std::string& keys) {
  return "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, d4: {}, g4: {}, g5: {}}\n"
         "flows:\n  v: {protocol: udp, port: 5600, " +
         keys + "}\n";
}
std::string with_server(const std::string& keys) {
  return "server: {addresses: [192.0.2.1], " + keys + "}\nclients: {}\nflows: {}\n";
}

Network good(const std::string& text) {
  auto result = parse_routes(text, "f");
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&result)) {
    ADD_FAILURE() << errors->front().to_string() << "\n" << text;
    return {};
  }
  return std::get<Network>(std::move(result));
}

/// The first error without its place.
std::string error_of(const std::string& text) {
  const auto result = parse_routes(text, "f");
  if (std::holds_alternative<Network>(result)) return "no error";
  const auto& error = std::get<std::vector<ConfigError>>(result).front();
  return error.path + ": " + error.message;
}

Flow flow_with(const std::string& keys) { return good(with_flow(keys)).flows.at(0); }

std::string with_p2p(const std::string& keys) {
  return "server: {addresses: [192.0.2.1]}\np2p: {" + keys + "}\nclients: {}\nflows: {}\n";
}

TEST(RoutesOptions, TheProbePortFollowsThePort) {
  EXPECT_EQ(good(with_server("port: 7700")).server.probe_port, 7701);
  EXPECT_EQ(good(with_server("port: 65535")).server.probe_port, 65534);
  EXPECT_EQ(good(with_server("probe_port: 9000")).server.probe_port, 9000);
  EXPECT_EQ(error_of(with_server("port: 9000, probe_port: 9000")),
            "server.probe_port: is the server's own port; expected another one");
  EXPECT_NE(
      error_of(with_server("probe_port: 2500, relay: {ports: {from: 2000-2999, to: 3000-3999}}"))
          .find("2500, the server's probe port"),
      std::string::npos);
}

TEST(RoutesOptions, P2pSettingsHaveDefaultsAPresetAndKeysThatGoBeforeIt) {
  EXPECT_EQ(good(with_p2p("keepalive: idle")).p2p, P2pSettings{});
  const auto polite = good(with_p2p("probes: 100, preset: polite")).p2p;
  EXPECT_EQ(polite.sockets, 128);
  EXPECT_EQ(polite.probes, 100);
  EXPECT_EQ(polite.open_rate, 200);
  EXPECT_EQ(polite.probe_rate_from, 20);
  EXPECT_EQ(polite.probe_rate_to, 100);
  const auto forbidden = good(with_p2p("strategies: {forbid: [birthday, range-pair]}")).p2p;
  EXPECT_EQ(forbidden.forbidden, 1U << 3U | 1U << 6U);
  EXPECT_EQ(good(with_p2p("strategies: {force: cone}")).p2p.forced, 2);
  EXPECT_TRUE(good(with_p2p("keepalive: strict")).p2p.strict_keepalive);
  EXPECT_EQ(good(with_p2p("preset: polite")).p2p.campaigns_per_address, 1);
  EXPECT_EQ(good(with_p2p("campaigns_per_address: 16")).p2p.campaigns_per_address, 16);
}

TEST(RoutesOptions, P2pErrorsNameTheWayOut) {
  EXPECT_EQ(error_of(with_p2p("strategies: {force: relay}")),
            "p2p.strategies.force: \"relay\" is not a strategy; expected direct, cone, birthday, "
            "range, sequential or range-pair");
  EXPECT_EQ(error_of(with_p2p("strategies: {forbid: [cone], force: cone}")),
            "p2p.strategies.force: stands beside forbid; expected one of the two");
  EXPECT_EQ(error_of(with_p2p("sockets: 257")),
            "p2p.sockets: \"257\" is none; expected a number from 1 to 256");
  EXPECT_EQ(error_of(with_p2p("campaigns_per_address: 17")),
            "p2p.campaigns_per_address: \"17\" is none; expected a number from 1 to 16");
  EXPECT_EQ(error_of(with_p2p("campaigns_per_address: 0")),
            "p2p.campaigns_per_address: \"0\" is none; expected a number from 1 to 16");
  EXPECT_EQ(error_of(with_p2p("probe_rate: {from: 200, to: 100}")),
            "p2p.probe_rate: falls; expected from to be at most to");
  EXPECT_EQ(error_of(with_p2p("preset: rude")),
            "p2p.preset: \"rude\" is not a preset; expected polite");
  EXPECT_EQ(error_of(with_p2p("keepalive: never")),
            "p2p.keepalive: \"never\" is not a keepalive; expected strict or idle");
}

TEST(RoutesOptions, AClientOrAFlowMayStayOnTheRelay) {
  EXPECT_FALSE(flow_with("from: d3, to: g4, p2p: off").p2p);
  EXPECT_TRUE(flow_with("from: d3, to: g4, p2p: on").p2p);
  const auto network =
      good("server: {addresses: [192.0.2.1]}\nclients: {a: {p2p: off}, b: {}}\nflows: {}\n");
  EXPECT_FALSE(network.clients.at(0).p2p);
  EXPECT_TRUE(network.clients.at(1).p2p);
}

TEST(RoutesOptions, AddressingIsSharedUnlessToldOtherwise) {
  EXPECT_EQ(flow_with("from: d3, to: g4").addressing, Addressing::kShared);
  EXPECT_EQ(flow_with("from: d3, to: g4, addressing: shared").addressing, Addressing::kShared);
  EXPECT_EQ(flow_with("from: d3, to: g4, addressing: per-peer").addressing, Addressing::kPerPeer);
  EXPECT_EQ(error_of(with_flow("from: d3, to: g4, addressing: peer")),
            "flows.v.addressing: \"peer\" is not an addressing; expected shared or per-peer");
}

TEST(RoutesOptions, AFlowSaysWhatItAsksOfAFullUplink) {
  const auto usual = flow_with("from: d3, to: g4");
  EXPECT_EQ(usual.priority, Priority::kNormal);
  EXPECT_EQ(usual.max_age_ms, 0);
  EXPECT_EQ(usual.rate_kbps, 0U);
  const auto flow = flow_with("from: d3, to: g4, priority: high, max_age: 200ms, rate: 2.5M");
  EXPECT_EQ(flow.priority, Priority::kHigh);
  EXPECT_EQ(flow.max_age_ms, 200);
  EXPECT_EQ(flow.rate_kbps, 2500U);
  EXPECT_EQ(flow_with("from: d3, to: g4, priority: low, max_age: 1.5s").max_age_ms, 1500);
  EXPECT_EQ(flow_with("from: d3, to: g4, rate: 500k").rate_kbps, 500U);
  EXPECT_EQ(flow_with("from: d3, to: g4, rate: 1.5mbit").rate_kbps, 1500U);
  EXPECT_EQ(flow_with("from: d3, to: g4, rate: 10G").rate_kbps, 10'000'000U);
}

TEST(RoutesOptions, SelfJoinNamesSidesOfTheFlow) {
  const auto flow = flow_with("from: d3, to: g4, self_join: {to: \"g*\", from: [d3, d4]}");
  const std::map<Side, Members> expected{{Side::kFrom, {"d3", "d4"}}, {Side::kTo, {"g4", "g5"}}};
  EXPECT_EQ(flow.self_join, expected);
  EXPECT_EQ(flow_with("mesh: [d3, d4], self_join: {mesh: g4}").self_join.at(Side::kMesh),
            Members{"g4"});
  EXPECT_EQ(flow_with("between: [d3, g4], self_join: {second: g5}").self_join.at(Side::kSecond),
            Members{"g5"});
}

TEST(RoutesOptions, SelfJoinErrors) {
  EXPECT_EQ(error_of(with_flow("from: d3, to: g4, self_join: {second: g5}")),
            "flows.v.self_join.second: not a side of this flow; expected from or to");
  EXPECT_EQ(error_of(with_flow("mesh: [d3, d4], self_join: {to: g5}")),
            "flows.v.self_join.to: not a side of this flow; expected mesh");
  EXPECT_EQ(error_of(with_flow("from: d3, to: g4, self_join: {to: g6}")),
            "flows.v.self_join.to: no client or group \"g6\"; expected one that is "
            "defined under clients or groups");
  EXPECT_EQ(error_of(with_flow("from: d3, to: g4, self_join: g5")),
            "flows.v.self_join: is a single value; expected a map of sides, or {} for none");
  EXPECT_EQ(error_of(with_flow("routes: [{from: d3, to: g4}, {from: d4, to: g5}], "
                               "self_join: {to: g5}")),
            "flows.v.self_join.to: several routes of this flow have it, so that joining it would "
            "be ambiguous; expected a side that one route has");
}

TEST(RoutesOptions, TargetAndDeliverBelongToTheirProtocols) {
  EXPECT_EQ(
      error_of(with_flow("from: d3, to: g4, target: 127.0.0.1:22")),
      "flows.v.target: is where the streams of a TCP flow go; expected deliver in a UDP flow");
  const std::string tcp =
      "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, g4: {}}\nflows:\n"
      "  v: {protocol: tcp, port: 22, from: g4, to: d3, target: none}\n";
  const auto result = parse_routes(tcp, "f");
  const auto& errors = std::get<std::vector<ConfigError>>(result);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].message,
            "\"none\" is not where an application can be reached; expected an address and port "
            "like 127.0.0.1:22");
}

/// The flow of a network of d1 to d4 and the groups even (d4, d2) and ground.
Flow tcp_flow(const std::string& body) {
  return good(
             "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, d1: {}, d4: {}, d2: {}, g4: {}}\n"
             "groups: {even: [d4, d2], ground: [g4]}\n"
             "flows:\n  v: {protocol: tcp, port: 22, " +
             body + "}\n")
      .flows.front();
}

TEST(RoutesOptions, ATcpFlowHasItsDefaults) {
  const auto flow = tcp_flow("from: g4, to: d3");
  EXPECT_EQ(flow.protocol, Protocol::kTcp);
  EXPECT_EQ(flow.fanout, Fanout::kPick);
  EXPECT_EQ(flow.copy_buffer, 1U << 20U);
  EXPECT_FALSE(flow.proxy_protocol);
  EXPECT_EQ(flow.deliver.kind, Deliver::Kind::kDefault);
}

TEST(RoutesOptions, ATcpFlowHasATargetAndItsOptions) {
  const auto flow = tcp_flow(
      "from: g4, to: [d3, d1], target: {d3: 127.0.0.1:2022}, fanout: copy, copy_buffer: 64KiB, "
      "proxy_protocol: on, addressing: per-peer");
  EXPECT_EQ(flow.deliver_of("d3").endpoint, *Endpoint::parse("127.0.0.1:2022"));
  EXPECT_EQ(flow.deliver_of("d1").kind, Deliver::Kind::kDefault);
  EXPECT_EQ(flow.fanout, Fanout::kCopy);
  EXPECT_EQ(flow.copy_buffer, 65'536U);
  EXPECT_TRUE(flow.proxy_protocol);
  EXPECT_EQ(flow.addressing, Addressing::kPerPeer);
}

TEST(RoutesOptions, WhoIsDialledFirstIsAsWritten) {
  EXPECT_EQ(tcp_flow("from: g4, to: [d4, d1, d3]").preference, (Members{"d4", "d1", "d3", "g4"}));
  EXPECT_EQ(tcp_flow("from: g4, to: even").preference, (Members{"d4", "d2", "g4"}));
  EXPECT_EQ(tcp_flow("from: ground, to: [d2, \"d*\"]").preference,
            (Members{"d2", "d3", "d1", "d4", "g4"}));
  EXPECT_EQ(tcp_flow("between: [g4, [d2, d1]]").preference, (Members{"g4", "d2", "d1"}));
  EXPECT_EQ(tcp_flow("routes: [{from: g4, to: d2}, {mesh: [d3, d1]}]").preference,
            (Members{"d2", "g4", "d3", "d1"}));
}

TEST(RoutesOptions, OnePortMayBeUdpAndTcp) {
  const auto both = good(
      "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, g4: {}}\nflows:\n"
      "  a: {protocol: tcp, port: 22, from: g4, to: d3}\n"
      "  b: {protocol: udp, port: 22, from: g4, to: d3}\n");
  EXPECT_EQ(both.flows.size(), 2U);
}

TEST(RoutesOptions, DefaultsSayHowTcpFindsItsRate) {
  const auto with = [](const std::string& body) {
    return "server: {addresses: [192.0.2.1]}\nclients: {}\nflows: {}\ndefaults: {" + body + "}\n";
  };
  EXPECT_EQ(good(with("")).defaults.congestion, CongestionControl::kBbr);
  EXPECT_EQ(good(with("congestion: bbr")).defaults.congestion, CongestionControl::kBbr);
  EXPECT_EQ(good(with("congestion: cubic")).defaults.congestion, CongestionControl::kCubic);
  EXPECT_EQ(error_of(with("congestion: reno")),
            "defaults.congestion: \"reno\" is no congestion control; expected bbr or cubic");
  EXPECT_EQ(error_of(with("mtu: 1")), "defaults.mtu: unknown key; expected congestion");
}

TEST(RoutesOptions, RelayPorts) {
  const RelayPorts usual{false, {2000, 2999}, {3000, 3999}};
  EXPECT_EQ(good(with_server("port: 7700")).server.relay_ports, usual);
  EXPECT_TRUE(good(with_server("relay: {ports: shared}")).server.relay_ports.shared);
  const RelayPorts own{false, {2000, 2000}, {40000, 65535}};
  EXPECT_EQ(
      good(with_server("relay: {ports: {from: 2000-2000, to: 40000-65535}}")).server.relay_ports,
      own);
}

TEST(RoutesOptions, RelayPortErrors) {
  for (const std::string range : {"2000", "3000-2000", "80-90", "2000-65536", "2000-", "a-b"}) {
    EXPECT_EQ(error_of(with_server("relay: {ports: {from: " + range + "}}")),
              "server.relay.ports.from: \"" + range +
                  "\" is not a range; expected a range of ports from 1024 to 65535 like 2000-2999");
  }
  EXPECT_EQ(error_of(with_server("relay: {ports: {from: 2000-3000}}")),
            "server.relay.ports: from is 2000-3000 and to is 3000-3999; expected ranges that have "
            "no port in common");
  EXPECT_EQ(error_of(with_server("relay: {ports: {from: 7000-7999}}")),
            "server.relay.ports: 7000-7999 holds 7700, the server's own port; expected ranges "
            "without it");
  EXPECT_EQ(error_of(with_server("relay: {ports: all}")),
            "server.relay.ports: \"all\" is not known; expected {from: 2000-2999, to: 3000-3999} "
            "or shared");
}

TEST(RoutesOptions, Rest) {
  EXPECT_EQ(good(with_server("port: 7700")).server.rest.listen.to_string(), "127.0.0.1:7780");
  EXPECT_FALSE(good(with_server("rest: none")).server.rest.enabled);
  const auto rest =
      good(with_server("rest: {listen: \"[::1]:80\", hosts: [relay.example.org, 10.0.0.5]}"))
          .server.rest;
  EXPECT_EQ(rest.listen.to_string(), "[::1]:80");
  EXPECT_EQ(rest.hosts, (std::vector<std::string>{"relay.example.org", "10.0.0.5"}));
  EXPECT_EQ(error_of(with_server("rest: {listen: 7780}")),
            "server.rest.listen: \"7780\" is no address; expected an address and port like "
            "127.0.0.1:7780");
  EXPECT_EQ(error_of(with_server("rest: {hosts: [\"a b\"]}")),
            "server.rest.hosts[0]: \"a b\" is no host name; expected a DNS name or an IP address");
}

}  // namespace
}  // namespace wormhole
