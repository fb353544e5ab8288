#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "wormhole/api/status.hpp"

namespace wormhole {
namespace {

ClientStatus drone3() {
  ClientStatus status;
  status.id = "drone3";
  status.server = {true,     *Endpoint::parse("198.51.100.10:7700"), "udp",
                   23'125us, Endpoint::parse("203.0.113.7:40112"),   ""};
  status.peers.push_back(
      {"gcs4", true, PathKind::kRelay, "relay", 3725s, "punching is under way", 46'200us, 0.00123});
  status.peers.back().mtu = MtuStatus{1280, 1252, false, 1, 800, 20};
  status.peers.push_back({"gcs5", false, PathKind::kNone, "", 0s, "offline", std::nullopt, 0});
  FlowStatus video;
  video.name = "video";
  video.port = 5600;
  video.direction = "send";
  video.peers = {"gcs4", "gcs5"};
  video.tx_packets = 1000;
  video.tx_bytes = 1'200'000;
  video.tx_bps = 9'600'000.4;
  video.app = AppState::kListening;
  video.port_open = true;
  video.peer_ports = {{"gcs4", *Endpoint::parse("127.1.1.2:5600")}};
  video.relay_port = 2003;
  video.queue = {4, 4800, 12'500us};
  video.drops = {{"too_large", 3}, {"no_path", 0}};
  status.flows.push_back(video);
  status.uplink = {true, 2'800'000.2, 4800};
  status.drops = {{"replayed", 2}};
  return status;
}

const std::string kNoNat =
    R"("nat":{"known":false,"complete":false,"udp_passes":false,"mapping":"unknown",)"
    R"("filtering":"unknown","allocation":"unknown","mapped":null,"address_varies":false,)"
    R"("one_address":false,"step":null,"low":null,"high":null,"hairpin":null,"lifetime_s":null,)"
    R"("lifetime_is_limit":false},)";

TEST(ApiStatus, JsonIsExact) {
  EXPECT_EQ(
      status_json(drone3()),
      R"({"id":"drone3","server":{"connected":true,"address":"198.51.100.10:7700",)"
      R"("transport":"udp","rtt_ms":23.125,"observed":"203.0.113.7:40112","reason":""},"peers":[)"
      R"({"id":"gcs4","online":true,"path":"relay","strategy":"relay","since_s":3725,)"
      R"("reason":"punching is under way","remote":null,"time_to_direct_ms":null,"campaigns":0,)"
      R"("rtt_ms":46.2,"loss":0.0012,"mtu":{"ip":1280,"udp_payload":1252,"searching":false,)"
      R"("black_holes":1,"datagrams":800,"fragmented":20,"fragmented_share":0.025}},)"
      R"({"id":"gcs5","online":false,"path":"none","strategy":"","since_s":0,)"
      R"("reason":"offline","remote":null,"time_to_direct_ms":null,"campaigns":0,)"
      R"("rtt_ms":null,"loss":0,"mtu":null}],"flows":[)"
      R"({"name":"video","protocol":"udp","port":5600,"direction":"send",)"
      R"("peers":["gcs4","gcs5"],"tx":{"packets":1000,"bytes":1200000,"bps":9600000},)"
      R"("rx":{"packets":0,"bytes":0,"bps":0},"app":"listening","port_open":true,)"
      R"("port_error":"","peer_ports":{"gcs4":"127.1.1.2:5600"},"relay_port":2003,)"
      R"("relay_hint":"","tcp":null,"fanout":null,"queue":{"packets":4,"bytes":4800,)"
      R"("delay_ms":12.5},"impair":null,"link":null,"drops":{"too_large":3,"no_path":0}}],"links":[],)"
      R"("congestion_events":{"notify":[],"hook":null,"listeners":{"now":0,"cut":0,"refused":0}},)"
      R"("offers":[],)"
      R"("uplink":{"shaping":true,"rate_bps":2800000,"backlog_bytes":4800},)" +
          kNoNat + R"("drops":{"replayed":2}})");
}

TEST(ApiStatus, ANatIsShownInWordsOfRfc4787AndWithWhatItMeans) {
  NatFindings nat;
  nat.mapping_known = nat.udp_passes = true;
  nat.report.mapping = NatMapping::kAddressAndPortDependent;
  nat.report.filtering = NatFiltering::kAddressAndPortDependent;
  nat.report.allocation = PortAllocation::kSequential;
  nat.report.step = -7;
  nat.report.mapped = *Endpoint::parse("203.0.113.7:40112");
  nat.hairpin = false;
  nat.lifetime = 30s;
  nat.lifetime_is_limit = true;
  NatCheckReport report;
  report.server.connected = report.in_time = true;
  report.nat = nat;
  const auto text = render_nat(netcheck_json(report));
  ASSERT_TRUE(text);
  for (const char* part : {"203.0.113.7:40112", "address and port-dependent", "sequential, step -7",
                           "30 s without traffic", "next ports are known"}) {
    EXPECT_NE(text->find(part), std::string::npos) << part << " in " << *text;
  }
  report.nat = {};
  EXPECT_FALSE(render_nat(netcheck_json(report)));
}

TEST(ApiStatus, ACheckSaysWhatStandsInItsWay) {
  NatCheckReport report;
  const auto problem = [&report] {
    const auto shown = boost::json::parse(netcheck_json(report));
    const auto& word = shown.at("problem");
    EXPECT_EQ(word.is_null(), shown.at("detail").is_null());
    return word.is_null() ? std::string("none") : std::string(word.get_string());
  };
  EXPECT_EQ(problem(), "not_connected");
  report.server.address = *Endpoint::parse("198.51.100.10:7700");
  EXPECT_EQ(problem(), "udp_blocked");
  report.nat.mapping_known = true;  // by a check before
  const auto blocked = render_nat(netcheck_json(report));
  ASSERT_FALSE(blocked);
  EXPECT_NE(blocked.error().message.find("198.51.100.10:7700"), std::string::npos);
  report.server.connected = true;
  EXPECT_EQ(problem(), "incomplete");
  report.in_time = true;
  EXPECT_EQ(problem(), "none");
  report.nat.one_address = true;
  report.nat.report.mapping = NatMapping::kEndpointIndependent;
  EXPECT_EQ(problem(), "one_address");
  const auto shown = render_nat(netcheck_json(report));
  ASSERT_TRUE(shown);
  EXPECT_NE(shown->find("endpoint-independent or address-dependent"), std::string::npos);
  report.nat.mapping_known = false;
  EXPECT_EQ(problem(), "unknown");
}

TEST(ApiStatus, TheNatHasALine) {
  ClientStatus status;
  status.server.connected = true;
  status.nat.mapping_known = true;
  status.nat.report.mapping = NatMapping::kEndpointIndependent;
  status.nat.report.filtering = NatFiltering::kAddressAndPortDependent;
  status.nat.report.allocation = PortAllocation::kPreserving;
  status.nat.report.mapped = *Endpoint::parse("203.0.113.7:40112");
  const auto table = render_status(status_json(status));
  ASSERT_TRUE(table);
  EXPECT_NE(
      table->find("    NAT: endpoint-independent mapping, address and port-dependent filtering"),
      std::string::npos)
      << *table;
  EXPECT_NE(table->find("port-preserving, public 203.0.113.7:40112"), std::string::npos) << *table;
}

TEST(ApiStatus, EmptyJsonIsExact) {
  EXPECT_EQ(status_json(ClientStatus{}),
            R"({"id":"","server":{"connected":false,"address":null,"transport":"udp",)"
            R"("rtt_ms":null,"observed":null,"reason":""},"peers":[],"flows":[],"links":[],)"
            R"("congestion_events":{"notify":[],"hook":null,)"
            R"("listeners":{"now":0,"cut":0,"refused":0}},"offers":[],)"
            R"("uplink":{"shaping":false,"rate_bps":0,"backlog_bytes":0},)" +
                kNoNat + R"("drops":{}})");
}

TEST(ApiStatus, ServerJsonIsExact) {
  ServerStatus status;
  status.clients.push_back({"drone3", true, *Endpoint::parse("[2001:db8::1]:5"), 61s, 7, 900});
  status.counters = {{"bad_mac1", 5}};
  status.config = {"routes.yaml", 3, 7s, {"routes.yaml:1:1: no"}, "held"};
  status.loop = {120us, 1500us};
  EXPECT_EQ(status_json(status),
            R"({"clients":[{"id":"drone3","online":true,"address":"[2001:db8::1]:5",)"
            R"("since_s":61,"relayed":{"packets":7,"bytes":900}}],"counters":{"bad_mac1":5},)"
            R"("config":{"file":"routes.yaml","revision":3,"since_s":7,)"
            R"("errors":["routes.yaml:1:1: no"],"held":"held"},)"
            R"("loop":{"latency_ms_p99":0.12,"latency_ms_max":1.5}})");
}

TEST(ApiStatus, FlowListIsExact) {
  auto status = drone3();
  status.offers = {{"video", Protocol::kUdp, 5600, {Side::kTo, Side::kFrom}, {Side::kTo}},
                   {"swarm", Protocol::kUdp, 9000, {Side::kMesh}, {}}};
  const Result<std::string> table = render_flows(status_json(status));
  ASSERT_TRUE(table);
  EXPECT_EQ(*table,
            "FLOW              PORT       DIRECTION  MAY JOIN            MAY LEAVE\n"
            "swarm             udp 9000   -          mesh                -\n"
            "video             udp 5600   send       from                to\n");
  EXPECT_FALSE(render_flows("[]"));
}

TEST(ApiStatus, TableIsExact) {
  const Result<std::string> table = render_status(status_json(drone3()));
  ASSERT_TRUE(table);
  EXPECT_EQ(*table,
            "drone3: server 198.51.100.10:7700 (udp), rtt 23.1 ms\n"
            "    seen as 203.0.113.7:40112\n"
            "    NAT: not known yet\n"
            "    uplink full: sending at 2.8 Mbit/s, 5 kB wait\n"
            "\n"
            "PEER                      PATH    RTT         LOSS     SINCE\n"
            "gcs4                      relay   46.2 ms     0.1 %    1 h 2 min\n"
            "    MTU 1280, 2.5 % of what is sent goes in fragments\n"
            "    not direct: punching is under way\n"
            "gcs5                      none    -           -        -\n"
            "    offline\n"
            "\n"
            "FLOW              PORT       PEERS               SENT         RECEIVED     APP\n"
            "video             udp 5600   to gcs4 +1          9.6 Mbit/s   0 bit/s      yes\n"
            "    each peer has its address: gcs4 127.1.1.2:5600\n"
            "    relayed by port 2003\n"
            "    4 datagrams wait for the uplink, the oldest 12 ms\n"
            "    dropped: too_large 3\n"
            "\n"
            "    dropped outside flows: replayed 2\n");
}

LinkState full_link() {
  LinkState state;
  state.verdict = LinkVerdict::kLimit;
  state.capacity_bps = 2.95e6;
  state.offered_bps = 6e6;
  state.delivered_bps = 2.9e6;
  state.queue_delay = 81ms;
  state.loss = 0.012;
  return state;
}

TEST(ApiStatus, LinksStandInATableOfTheirOwn) {
  auto status = drone3();
  status.links.push_back({"gcs4", ClientNo{2}, PathKind::kRelay, full_link()});
  status.links.push_back({"gcs5", ClientNo{3}, PathKind::kDirect, {}});
  status.flows[0].link = full_link();
  const std::string table = render_status(status_json(status)).value();
  EXPECT_NE(table.find("LINK            WAY     STATE        CAPACITY     OFFERED      DELIVERED\n"
                       "gcs4            relay   limit        3.0 Mbit/s   6.0 Mbit/s   2.9 Mbit/s\n"
                       "    queue 81 ms, loss 1.2 %\n"
                       "gcs5            direct  app_limited  -            0 bit/s      0 bit/s\n"),
            std::string::npos)
      << table;
  EXPECT_NE(
      table.find("    limit: 2.9 Mbit/s of 6.0 Mbit/s offered arrive, queue 81 ms, loss 1.2 %\n"),
      std::string::npos)
      << table;
}

TEST(ApiStatus, WhoHearsOfLinksIsShown) {
  auto status = drone3();
  status.outlets.notify.push_back({{IpAddress::v4(127, 0, 0, 1), 9100}, 12, 1});
  status.outlets.hook = LinkOutletsStatus::Hook{"notify-send full", 5, 2, 1, 9, "killed after 5 s"};
  status.outlets.listeners = 1;
  EXPECT_NE(status_json(status).find(
                R"("congestion_events":{"notify":[{"to":"127.0.0.1:9100","sent":12,"failed":1}],)"
                R"("hook":{"command":"notify-send full","runs":5,"failures":2,"kills":1,)"
                R"("skipped":9,"outcome":"killed after 5 s"},)"
                R"("listeners":{"now":1,"cut":0,"refused":0}})"),
            std::string::npos)
      << status_json(status);
  const std::string table = render_status(status_json(status)).value();
  EXPECT_NE(table.find("\nevents to 127.0.0.1:9100: 12 sent, 1 failed\n"
                       "on congestion: notify-send full\n"
                       "    5 runs, 2 failed, 1 killed, 9 skipped; last: killed after 5 s\n"),
            std::string::npos)
      << table;
}

TEST(ApiStatus, ADirectPathSaysWhereAndHow) {
  auto status = drone3();
  auto& peer = status.peers.front();
  peer.path = PathKind::kDirect;
  peer.strategy = "birthday";
  peer.reason.clear();
  peer.remote = Endpoint::parse("203.0.113.9:5333");
  peer.time_to_direct = 1'093ms;
  peer.campaigns = 1;
  peer.mtu = MtuStatus{1500, 1472, true, 0, 7, 0};
  EXPECT_NE(status_json(status).find(R"("remote":"203.0.113.9:5333","time_to_direct_ms":1093,)"
                                     R"("campaigns":1)"),
            std::string::npos);
  const Result<std::string> table = render_status(status_json(status));
  ASSERT_TRUE(table);
  EXPECT_NE(table->find("gcs4                      direct  46.2 ms     0.1 %    1 h 2 min\n"
                        "    at 203.0.113.9:5333, opened by birthday in 1.1 s\n"
                        "    MTU at least 1500\n"
                        "gcs5"),
            std::string::npos)
      << *table;
}

TEST(ApiStatus, TableSaysWhyThereIsNoServerAndNoPort) {
  ClientStatus status;
  status.id = "gcs4";
  status.server.reason = "no answer from relay.example.org";
  FlowStatus flow;
  flow.name = "mavlink";
  flow.port = 14550;
  flow.direction = "both";
  flow.port_error = "127.1.0.1:14550 is taken by qgroundcontrol (process 7)";
  status.flows.push_back(flow);
  const std::string table = render_status(status_json(status)).value();
  EXPECT_NE(table.find("gcs4: server not connected\n    no answer from relay"), std::string::npos)
      << table;
  EXPECT_NE(table.find("port not open: 127.1.0.1:14550 is taken by qground"), std::string::npos)
      << table;
}

TEST(ApiStatus, NoLineIsWiderThan80Columns) {
  ClientStatus status = drone3();
  status.id = std::string(63, 'i');
  status.peers[0].id = std::string(63, 'p');
  status.peers[0].reason = std::string(300, 'r') + " and " + std::string(90, 's');
  status.peers[1].since = 400 * 24h;
  status.flows[0].name = std::string(63, 'f');
  status.flows[0].port = 65535;
  status.flows[0].peers.assign(1000, std::string(63, 'q'));
  status.flows[0].tx_bps = 999'949;
  status.flows[0].rx_bps = 123'456'789'012;
  std::istringstream lines(render_status(status_json(status)).value());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("iii")) continue;  // our own ID is never cut
    EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(ApiStatus, TableToleratesForeignAndBrokenJson) {
  EXPECT_FALSE(render_status("not json"));
  EXPECT_FALSE(render_status("[]"));
  EXPECT_TRUE(render_status("{}"));
  const auto odd = render_status(R"({"id":3,"peers":[1,{"id":"a\u001b[2Jb"}],"flows":[{}]})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->find('\x1b'), std::string::npos);
  EXPECT_NE(odd->find("a?[2Jb"), std::string::npos) << *odd;
}

}  // namespace
}  // namespace wormhole
