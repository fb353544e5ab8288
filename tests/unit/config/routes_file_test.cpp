#include "wormhole/config/routes_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "wormhole/base/rng.hpp"

namespace wormhole {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(std::string(WORMHOLE_TEST_DATA) + "/../" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Network good(const std::string& text) {
  auto result = parse_routes(text, "f");
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&result)) {
    ADD_FAILURE() << errors->front().to_string() << "\n" << text;
    return {};
  }
  return std::get<Network>(std::move(result));
}

/// The flows of a file with clients d3, d4, d5, g4, g5 and groups ground (g4, g5) and all.
Network with_flow(const std::string& keys) {
  return good(
      "server: {addresses: [192.0.2.1]}\n"
      "clients: {d3: , d4: {}, d5: {}, g5: {}, g4: {}}\n"
      "groups: {ground: [g5, g4, g5], all: [\"*\"]}\n"
      "flows: {v: {protocol: udp, port: 5600, " +
      keys + "}}\n");
}

Route route_of(const std::string& keys) {
  const auto network = with_flow(keys);
  return network.flows.empty() ? Route{} : network.flows.front().routes.front();
}

const Members kDrones{"d3", "d4", "d5"};
const Members kGround{"g4", "g5"};

TEST(RoutesFile, ReadsTheExample) {
  const auto network = good(contents("config/routes.example.yaml"));
  EXPECT_EQ(network.server.name, "relay.example.org");
  ASSERT_EQ(network.server.addresses.size(), 2U);
  EXPECT_EQ(network.server.addresses[1].public_address.to_string(), "198.51.100.11");
  EXPECT_EQ(network.server.addresses[1].bind.to_string(), "198.51.100.11");
  EXPECT_EQ(network.server.port, 7700);
  EXPECT_EQ(network.server.state_dir, "/var/lib/wormhole");
  ASSERT_EQ(network.clients.size(), 4U);
  EXPECT_EQ(network.clients[1].id, "drone7");
  EXPECT_EQ(network.groups.at("ground"), (Members{"gcs4", "gcs5"}));
  ASSERT_EQ(network.flows.size(), 4U);
  EXPECT_EQ(network.flows[0].routes,
            (std::vector<Route>{{Route::Kind::kBetween, {"drone3", "drone7"}, {"gcs4", "gcs5"}}}));
  EXPECT_EQ(network.flows[1].deliver_of("gcs5").endpoint.to_string(), "127.0.0.1:5601");
  EXPECT_EQ(network.flows[1].deliver_of("gcs4").kind, Deliver::Kind::kDefault);
  EXPECT_EQ(network.flows[2].routes.front().kind, Route::Kind::kMesh);
  EXPECT_EQ(network.flows[3].protocol, Protocol::kTcp);
  EXPECT_EQ(network.flows[3].deliver.endpoint.to_string(), "127.0.0.1:22");
}

/// Complete examples of the manual are marked by a comment in their first line.
TEST(RoutesFile, ReadsEveryCompleteExampleOfTheManual) {
  const auto manual = contents("docs/configuration.md");
  const std::string fence = "```yaml\n# complete\n";
  std::size_t count = 0;
  for (auto at = manual.find(fence); at != std::string::npos; at = manual.find(fence, at + 1)) {
    const auto start = at + std::string("```yaml\n").size();
    good(manual.substr(start, manual.find("```", start) - start));
    ++count;
  }
  EXPECT_GE(count, 2U);
}

TEST(RoutesFile, FillsInDefaults) {
  const auto network = good("server: {addresses: [\"2001:db8::1\"]}\nclients: {}\nflows: {}\n");
  EXPECT_EQ(network.server.name, "");
  EXPECT_EQ(network.server.port, 7700);
  EXPECT_EQ(network.server.state_dir, "/var/lib/wormhole");
  EXPECT_TRUE(network.clients.empty());
  EXPECT_TRUE(network.flows.empty());
}

TEST(RoutesFile, ReadsBindAddresses) {
  const auto network = good(
      "server: {addresses: [{public: 192.0.2.1, bind: 0.0.0.0}, {public: \"2001:db8::1\", bind: "
      "\"::\"}], port: 65535}\nclients: {}\nflows: {}\n");
  ASSERT_EQ(network.server.addresses.size(), 2U);
  EXPECT_TRUE(network.server.addresses[0].bind.is_unspecified());
  EXPECT_EQ(network.server.addresses[1].public_address.to_string(), "2001:db8::1");
  EXPECT_EQ(network.server.port, 65535);
}

TEST(RoutesFile, ReadsKeysByHand) {
  const PublicKey key{{1, 2, 3}};
  const auto network = good("server: {addresses: [192.0.2.1]}\nclients:\n  d3:\n  d4: {key: \"" +
                            to_text(key) + "\"}\nflows: {}\n");
  EXPECT_EQ(network.clients, (std::vector<ClientEntry>{{"d3", std::nullopt}, {"d4", key}}));
}

TEST(RoutesFile, ExpandsSelectorsSortedAndWithoutDuplicates) {
  const std::pair<const char*, Members> cases[] = {
      {"d3", {"d3"}},
      {"\"d*\"", kDrones},
      {"\"d?\"", kDrones},
      {"\"*4\"", {"d4", "g4"}},
      {"\"*3*\"", {"d3"}},
      {"[d5, d3]", {"d3", "d5"}},
      {"[d4, \"d*\", d4]", kDrones},
      {"[ground, d3]", {"d3", "g4", "g5"}},
      {"all", {"d3", "d4", "d5", "g4", "g5"}},
  };
  for (const auto& [selector, expected] : cases) {
    EXPECT_EQ(route_of("from: " + std::string(selector) + ", to: ground").first, expected)
        << selector;
  }
}

TEST(RoutesFile, ReadsEveryKindOfRoute) {
  using Kind = Route::Kind;
  EXPECT_EQ(route_of("from: d3, to: ground"), (Route{Kind::kFromTo, {"d3"}, kGround}));
  EXPECT_EQ(route_of("between: [\"d*\", [g4, g5]]"), (Route{Kind::kBetween, kDrones, kGround}));
  EXPECT_EQ(route_of("mesh: [d5, d3, d4]"), (Route{Kind::kMesh, kDrones, {}}));
  const auto network = with_flow("routes: [{from: d3, to: g4}, {mesh: ground}]");
  EXPECT_EQ(network.flows.front().routes,
            (std::vector<Route>{{Kind::kFromTo, {"d3"}, {"g4"}}, {Kind::kMesh, kGround, {}}}));
}

TEST(RoutesFile, ReadsDeliver) {
  EXPECT_EQ(with_flow("from: d3, to: g4").flows[0].deliver.kind, Deliver::Kind::kDefault);
  EXPECT_EQ(with_flow("from: d3, to: g4, deliver: none").flows[0].deliver.kind,
            Deliver::Kind::kNone);
  EXPECT_EQ(
      with_flow("from: d3, to: g4, deliver: \"[::1]:9\"").flows[0].deliver.endpoint.to_string(),
      "[::1]:9");
  const auto flow =
      with_flow("between: [d3, ground], deliver: {g4: none, d3: 10.0.0.9:1}").flows[0];
  EXPECT_EQ(flow.deliver_of("g4").kind, Deliver::Kind::kNone);
  EXPECT_EQ(flow.deliver_of("d3").endpoint.to_string(), "10.0.0.9:1");
  EXPECT_EQ(flow.deliver_of("g5").kind, Deliver::Kind::kDefault);
}

TEST(RoutesFile, AllowsOnePortForFlowsWithoutACommonClient) {
  const auto network = good(
      "server: {addresses: [192.0.2.1]}\nclients: {a: {}, b: {}, c: {}, d: {}}\n"
      "flows:\n  x: {protocol: udp, port: 9, from: a, to: b}\n"
      "  y: {protocol: udp, port: 9, from: c, to: d}\n");
  EXPECT_EQ(network.flows.size(), 2U);
}

TEST(RoutesFile, TakesForeignLineEndsAMarkAndComments) {
  auto text = contents("config/routes.example.yaml");
  std::string crlf = "\xef\xbb\xbf";
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(good(crlf).flows, good(text).flows);
  EXPECT_EQ(good(text + "#\ta tab and \xe2\x82\xac in a comment\n").flows, good(text).flows);
}

/// Each error has a place, so that an editor can go there.
void expect_network_or_places(const std::string& text, const char* what, std::size_t at) {
  const auto result = parse_routes(text, "f");
  const auto* errors = std::get_if<std::vector<ConfigError>>(&result);
  if (errors == nullptr) return;
  ASSERT_FALSE(errors->empty()) << what << at;
  EXPECT_GE(errors->front().line, 1U) << what << at;
  EXPECT_GE(errors->front().column, 1U) << what << at;
  EXPECT_FALSE(errors->front().message.empty()) << what << at;
}

TEST(RoutesFile, CutShortAnywhereIsNeverHalfAnEntry) {
  const auto text = contents("config/routes.example.yaml");
  const auto whole = good(text);
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto cut = text.substr(0, length);
    expect_network_or_places(cut, "cut at ", length);
    const auto result = parse_routes(cut, "f");
    const auto* network = std::get_if<Network>(&result);
    if (network == nullptr) continue;
    // Only a cut between flows (or in what belongs to none) can't be told.
    ++accepted;
    EXPECT_EQ(cut.back(), '\n') << length;
    EXPECT_EQ(network->clients, whole.clients) << length;
    EXPECT_EQ(network->groups, whole.groups) << length;
    for (std::size_t i = 0; i < network->flows.size(); ++i) {
      const bool optional_line_lost = !(network->flows[i] == whole.flows[i]);
      EXPECT_TRUE(!optional_line_lost || network->flows[i].name == "video") << length;
    }
  }
  EXPECT_LT(accepted, 14U);
}

TEST(RoutesFile, MutationsGiveANetworkOrErrorsWithPlaces) {
  const auto text = contents("config/routes.example.yaml");
  SeededRng rng(1);
  // The zero comes last, so that the literal's end stands for it.
  static constexpr std::string_view kAlphabet{"\n\n  :-[]{},\"'#&*!|>?%@`~\ta0\x80\xff", 30};
  for (std::size_t round = 0; round < 3000; ++round) {
    auto mutant = text;
    for (auto n = 1 + rng.below(6); n > 0; --n) {
      const auto at = rng.below(static_cast<std::uint32_t>(mutant.size()));
      const char c = kAlphabet[rng.below(kAlphabet.size())];
      switch (rng.below(4)) {
        case 0:
          mutant[at] = c;
          break;
        case 1:
          mutant.insert(at, 1 + rng.below(3), c);
          break;
        case 2:
          mutant.erase(at, 1 + rng.below(40));
          break;
        default:
          mutant.insert(at, mutant.substr(rng.below(static_cast<std::uint32_t>(mutant.size())),
                                          rng.below(80)));
      }
      if (mutant.empty()) mutant.assign(1, '\n');
    }
    expect_network_or_places(mutant, "round ", round);
  }
}

std::string repeat(std::string_view piece, std::size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string first_error(const std::string& text) {
  const auto result = parse_routes(text, "f");
  const auto* errors = std::get_if<std::vector<ConfigError>>(&result);
  return errors == nullptr ? "no error" : errors->front().message;
}

TEST(RoutesFile, RefusesWhatWouldExhaustTheMachine) {
  std::string steps;
  for (std::size_t i = 0; i < 2000; ++i) steps += repeat(" ", i) + "a:\n";
  const std::string deep = "nested more than 16 deep; expected less";
  const std::string wide =
      "more than 256 KiB in one pair of brackets, value or comment; expected a list or map with "
      "one entry a line, indented";
  const std::string open = "a list or a map as a key; expected a name (is a bracket not closed?)";
  EXPECT_EQ(first_error(repeat("[", 10000) + "\n"), open);
  EXPECT_EQ(first_error(repeat("{a: ", 10000) + "\n"), open);
  EXPECT_EQ(first_error(repeat("[", 10000) + repeat("]", 10000) + "\n"), deep);
  EXPECT_EQ(first_error(repeat("{a: ", 10000) + repeat("}", 10000) + "\n"), deep);
  EXPECT_EQ(first_error(repeat("- ", 10000) + "a\n"), deep);
  EXPECT_EQ(first_error(steps), deep);
  EXPECT_EQ(first_error(repeat("a", std::size_t{50} << 20)),
            "larger than 8 MiB; expected a smaller file");
  EXPECT_EQ(first_error(std::string("[") + repeat("a,\n", 1 << 20) + "]\n"), wide);
  EXPECT_EQ(first_error(std::string("a: ") + repeat("b", 1 << 20) + "\n"), wide);
  EXPECT_EQ(first_error(std::string("a: \"") + repeat("b", 1 << 20) + "\"\n"), wide);
  EXPECT_EQ(first_error(repeat("- a\n", 1 << 20)), "more than 524288 values; expected less");
  std::stringstream bomb;
  bomb << "a0: &a0 [x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb << "a" << i << ": &a" << i << " [";
    for (int k = 0; k < 9; ++k) bomb << "*a" << i - 1 << ", ";
    bomb << "x]\n";
  }
  EXPECT_EQ(first_error(bomb.str()), "an anchor (&); expected the value without it");
}

TEST(RoutesFile, RefusesAMeshOfTooMany) {
  std::string text = "server: {addresses: [192.0.2.1]}\nclients:\n";
  for (int i = 0; i < 5000; ++i) text += "  d" + std::to_string(i) + ":\n";
  text += "flows:\n  v: {protocol: udp, port: 1, mesh: \"*\"}\n";
  EXPECT_EQ(first_error(text),
            "the flows up to here have 24995000 pairs of sender and receiver; expected at most "
            "16777216 in all");
}

TEST(RoutesFile, RefusesAClientWithTooManyPeers) {
  const auto with = [](int drones) {
    std::string text = "server: {addresses: [192.0.2.1]}\nclients:\n  gcs:\n";
    for (int i = 0; i < drones; ++i) text += "  d" + std::to_string(i) + ":\n";
    return text +
           "flows:\n  a: {protocol: udp, port: 1, between: [gcs, \"d*\"]}\n"
           "  b: {protocol: udp, port: 2, from: \"d*\", to: gcs}\n";
  };
  EXPECT_EQ(first_error(with(4097)),
            "client gcs has 4097 peers in all its flows; expected at most 4096");
  EXPECT_TRUE(std::holds_alternative<Network>(parse_routes(with(4096), "routes.yaml")));
}

}  // namespace
}  // namespace wormhole
