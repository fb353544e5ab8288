// Impaired links in routes.yaml: every option, every name, every mistake with its place.
#include <gtest/gtest.h>

#include "config/impair_profiles.hpp"
#include "unit/config/temporary_directory.hpp"
#include "wormhole/config/routes_document.hpp"
#include "wormhole/config/routes_file.hpp"
#include "wormhole/model/routing.hpp"

namespace wormhole {
namespace {

std::string with(const std::string& impair, const std::string& route = "from: d3, to: g4",
                 const std::string& protocol = "udp") {
  return "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, d4: {}, g4: {}, g5: {}}\n"
         "flows:\n  v: {protocol: " +
         protocol + ", port: 5600, " + route + ", impair: " + impair + "}\n";
}

Network good(const std::string& text, const std::string& file = "f") {
  auto result = parse_routes(text, file);
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&result)) {
    ADD_FAILURE() << errors->front().to_string() << "\n" << text;
    return {};
  }
  return std::get<Network>(std::move(result));
}

std::string error_of(const std::string& text, const std::string& file = "f") {
  const auto result = parse_routes(text, file);
  if (std::holds_alternative<Network>(result)) return "no error";
  const auto& errors = std::get<std::vector<ConfigError>>(result);
  EXPECT_EQ(errors.size(), 1U) << errors.back().to_string();
  return errors.front().to_string();
}

/// The first error of `impair: {…}` on a flow, without the path of the flow.
std::string wrong(const std::string& keys) {
  const auto error = error_of(with("{" + keys + "}"));
  const std::string path = "flows.v.impair";
  const auto at = error.find(path);
  return at == std::string::npos ? error : error.substr(at + path.size());
}

ImpairProfile profile_of(const std::string& impair) {
  const auto network = good(with(impair));
  if (network.flows.empty() || !network.flows[0].impair.forward) return {};
  return *network.flows[0].impair.forward;
}

Share share(double percent) {
  return static_cast<Share>(std::llround(percent / 100 * double{kWhole}));
}

TEST(ImpairOptions, EveryOptionOfNetem) {
  const auto profile = profile_of(
      "{delay: 40ms, jitter: 1.5ms, correlation: 25%, distribution: pareto, "
      "duplicate: {rate: 1%, correlation: 10%}, reorder: {rate: 25%, correlation: 50%, gap: 5}, "
      "corrupt: {rate: 0.1%, correlation: 5%, from: 12, to: 1199}, "
      "rate: {rate: 10mbit, overhead: -14, cell: 48, cell_overhead: 5}, "
      "slot: {min: 800us, max: 10ms, packets: 5, bytes: 6000}, limit: 20, seed: "
      "18446744073709551615, handover: {every: 15s, length: 140ms, loss: 5%}}");
  EXPECT_EQ(profile.name, "");
  EXPECT_EQ(profile.delay_us, 40'000U);
  EXPECT_EQ(profile.jitter_us, 1'500U);
  EXPECT_EQ(profile.delay_correlation, share(25));
  EXPECT_EQ(profile.spreading, Spreading::kPareto);
  EXPECT_EQ(profile.duplicate, (Chance{share(1), share(10)}));
  EXPECT_EQ(profile.reorder, (Chance{share(25), share(50)}));
  EXPECT_EQ(profile.gap, 5U);
  EXPECT_EQ(profile.corrupt, (Chance{share(0.1), share(5)}));
  EXPECT_EQ(profile.corrupt_from, 12);
  EXPECT_EQ(profile.corrupt_to, 1199);
  EXPECT_EQ(profile.rate_bps, 10'000'000U);
  EXPECT_EQ(profile.packet_overhead, -14);
  EXPECT_EQ(profile.cell_size, 48U);
  EXPECT_EQ(profile.cell_overhead, 5);
  EXPECT_EQ(profile.slot.kind, ImpairProfile::Slot::Kind::kRange);
  EXPECT_EQ(profile.slot.min_us, 800U);
  EXPECT_EQ(profile.slot.max_us, 10'000U);
  EXPECT_EQ(profile.slot.packets, 5U);
  EXPECT_EQ(profile.slot.bytes, 6000U);
  EXPECT_EQ(profile.limit, 20U);
  EXPECT_EQ(profile.seed, ~std::uint64_t{0});
  EXPECT_EQ(profile.handover, (ImpairProfile::Handover{15'000'000, 140'000, share(5)}));
}

TEST(ImpairOptions, LossModelsAndTheirDefaults) {
  using Loss = ImpairProfile::Loss;
  const auto loss = [](const std::string& text) {
    const auto profile = profile_of("{loss: " + text + "}");
    return std::pair(profile.loss_model, profile.loss);
  };
  using Values = std::array<Share, 5>;
  EXPECT_EQ(loss("2%"), std::pair(Loss::kRandom, Values{share(2)}));
  EXPECT_EQ(loss("{random: 2%, correlation: 25%}"),
            std::pair(Loss::kRandom, Values{share(2), share(25)}));
  EXPECT_EQ(loss("{state: {p13: 1%, p31: 20%, p32: 10%, p23: 30%, p14: 0.5%}}"),
            std::pair(Loss::kState, Values{share(1), share(20), share(10), share(30), share(0.5)}));
  EXPECT_EQ(loss("{state: {p13: 1%}}"),
            std::pair(Loss::kState, Values{share(1), kWhole - share(1), 0, kWhole, 0}));
  EXPECT_EQ(loss("{gemodel: {p: 1%, r: 10%, 1-h: 70%, 1-k: 0.1%}}"),
            std::pair(Loss::kGemodel, Values{share(1), share(10), share(70), share(0.1), 0}));
  EXPECT_EQ(loss("{gemodel: {p: 1%}}"),
            std::pair(Loss::kGemodel, Values{share(1), kWhole - share(1), kWhole, 0, 0}));
}

TEST(ImpairOptions, ShortFormsAndWhatIsUsual) {
  EXPECT_EQ(profile_of("{loss: 1%}").limit, 1000U);
  EXPECT_EQ(profile_of("{duplicate: 1%}").duplicate, (Chance{share(1), 0}));
  EXPECT_EQ(profile_of("{corrupt: 100%}").corrupt, (Chance{kWhole, 0}));
  EXPECT_EQ(profile_of("{corrupt: 1%}").corrupt_to, 65'535);
  const auto reorder = profile_of("{delay: 10ms, reorder: 25%}");
  EXPECT_EQ(reorder.reorder.share, share(25));
  EXPECT_EQ(reorder.gap, 1U);
  const auto gap = profile_of("{delay: 10ms, reorder: {gap: 5}}");
  EXPECT_EQ(gap.reorder.share, kWhole);
  EXPECT_EQ(gap.gap, 5U);
  EXPECT_EQ(profile_of("{rate: 512K}").rate_bps, 512'000U);
  EXPECT_EQ(profile_of("{rate: 1.5Mbit}").rate_bps, 1'500'000U);
  EXPECT_EQ(profile_of("{rate: 1gbit}").rate_bps, 1'000'000'000U);
  EXPECT_EQ(profile_of("{slot: {min: 5ms}}").slot.max_us, 5'000U);
  const auto slot =
      profile_of("{slot: {delay: 10ms, jitter: 1ms, distribution: normal, packets: 3}}").slot;
  EXPECT_EQ(slot.kind, ImpairProfile::Slot::Kind::kSpread);
  EXPECT_EQ(slot.spreading, Spreading::kNormal);
}

TEST(ImpairOptions, EveryShippedProfileCanBeUsed) {
  ASSERT_EQ(shipped_profiles().size(), 6U);
  for (const auto& [name, text] : shipped_profiles()) {
    EXPECT_EQ(profile_of(std::string(name)).name, name);
    EXPECT_NE(text.find("# Source: "), std::string::npos) << name;
  }
  const auto starlink = profile_of("starlink");
  EXPECT_EQ(starlink.handover.every_us, 15'000'000U);
  EXPECT_EQ(starlink.handover.length_us, 140'000U);
}

TEST(ImpairOptions, ProfilesOfOnesOwn) {
  const auto network = good(
      "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, g4: {}}\n"
      "impairments:\n  field: {delay: 40ms, loss: 1%}\n  field-worse: {profile: field, loss: 5%}\n"
      "  geo: {delay: 1s}\n"
      "flows:\n  a: {protocol: udp, port: 1, from: d3, to: g4, impair: field-worse}\n"
      "  b: {protocol: udp, port: 2, from: d3, to: g4, impair: geo}\n"
      "  c: {protocol: udp, port: 3, from: d3, to: g4, impair: {profile: lte-weak, seed: 7}}\n"
      "  d: {protocol: udp, port: 4, from: d3, to: g4, impair: none}\n");
  ASSERT_EQ(network.flows.size(), 4U);
  EXPECT_EQ(network.flows[0].impair.forward->name, "field-worse");
  EXPECT_EQ(network.flows[0].impair.forward->delay_us, 40'000U);
  EXPECT_EQ(network.flows[0].impair.forward->loss[0], share(5));
  EXPECT_EQ(network.flows[1].impair.forward->delay_us, 1'000'000U) << "before the shipped one";
  EXPECT_EQ(network.flows[2].impair.forward->name, "lte-weak");
  EXPECT_EQ(network.flows[2].impair.forward->seed, 7U);
  EXPECT_FALSE(network.flows[3].impair.is_set());
}

TEST(ImpairOptions, WaysAndRoutes) {
  const auto both = good(with("lte-good", "between: [d3, g4]")).flows.at(0);
  EXPECT_TRUE(both.impair.forward && both.impair.forward == both.impair.back);
  const auto one = good(with("{back: {loss: 1%}}", "between: [d3, g4]")).flows.at(0);
  EXPECT_EQ(impairment_of(one, "d3", "g4"), nullptr);
  ASSERT_NE(impairment_of(one, "g4", "d3"), nullptr);
  EXPECT_EQ(impairment_of(one, "g4", "d3")->loss[0], share(1));
  EXPECT_EQ(good(with("lte-good")).flows.at(0).impair.back, nullptr) << "nothing goes back";
  const auto flow = good(with("{delay: 1ms}",
                              "routes: [{from: d3, to: g4, impair: {delay: 2ms}}, {from: d3, to: "
                              "g5}, {mesh: [d3, d4], impair: none}]"))
                        .flows.at(0);
  const auto delay = [&](const char* from, const char* to) {
    const auto* profile = impairment_of(flow, from, to);
    return profile == nullptr ? 0U : profile->delay_us;
  };
  EXPECT_EQ(delay("d3", "g4"), 2'000U);
  EXPECT_EQ(delay("d3", "g5"), 1'000U);
  EXPECT_EQ(delay("d3", "d4"), 0U);
  EXPECT_EQ(delay("g4", "d3"), 0U);
  EXPECT_TRUE(is_impaired(flow));
}

TEST(ImpairOptions, MistakesHaveTheirPlace) {
  EXPECT_EQ(error_of(with("{loss: 2}")),
            "f:4:67: flows.v.impair.loss: \"2\" is none; expected a share like 0.5%, from 0% to "
            "100%");
  EXPECT_EQ(error_of(with("lte-bad")),
            "f:4:60: flows.v.impair: no profile \"lte-bad\"; expected one of none, geo, "
            "lte-congested, lte-good, lte-weak, starlink or wifi-range");
  EXPECT_EQ(error_of(with("lte-goot")).find("(did you mean lte-good?)") != std::string::npos, true);
  EXPECT_EQ(error_of(with("{loss: 2%}", "from: d3, to: g4", "tcp")),
            "f:4:60: flows.v.impair: impairs datagrams, and this is a TCP flow; expected protocol: "
            "udp");
  EXPECT_EQ(
      error_of(with("[lte-good]")),
      "f:4:60: flows.v.impair: is a list; expected the name of a profile, none, a map of what "
      "befalls datagrams, or one of these for each of forward and back");
  EXPECT_EQ(error_of(with("{forward: none, back: lte-good}")),
            "f:4:82: flows.v.impair.back: is where nothing goes; expected forward alone, or a "
            "between route");
  EXPECT_EQ(
      error_of("server: {addresses: [192.0.2.1]}\nclients: {}\nimpairments:\n  bad: {loss: 200%}\n"
               "flows: {}\n"),
      "f:4:15: impairments.bad.loss: \"200%\" is none; expected a share like 0.5%, from 0% to "
      "100%");
}

TEST(ImpairOptions, ValuesOutOfRange) {
  for (const auto* bad : {"61s", "-1ms", "40", "ms", "4e1ms", "nans", "1h"}) {
    EXPECT_NE(wrong(std::string("delay: ") + bad)
                  .find("is none; expected a time like 40ms, 1.5s or 800us, up to 60s"),
              std::string::npos)
        << bad;
  }
  EXPECT_EQ(
      wrong("rate: 999"),
      ".rate: \"999\" is none; expected a rate like 10mbit or 512kbit, from 1kbit to 100gbit");
  EXPECT_EQ(wrong("limit: 0"), ".limit: \"0\" is none; expected a whole number from 1 to 100000");
  EXPECT_EQ(wrong("seed: -1"),
            ".seed: \"-1\" is none; expected a whole number from 0 to 18446744073709551615");
  EXPECT_EQ(wrong("rate: {rate: 1mbit, overhead: 1001}"),
            ".rate.overhead: \"1001\" is none; expected a whole number from -1000 to 1000");
  EXPECT_EQ(wrong("corrupt: {rate: 1%, from: 65536}"),
            ".corrupt.from: \"65536\" is none; expected a whole number from 0 to 65535");
  EXPECT_EQ(wrong("loss: {gemodel: {r: 1%}}"),
            ".loss.gemodel.p: is missing; expected the share of datagrams after which a burst "
            "begins");
  EXPECT_EQ(wrong("lost: 1%"),
            ".lost: unknown key (did you mean loss?); expected profile, loss, delay, jitter, "
            "correlation, distribution, table, duplicate, reorder, corrupt, rate, slot, limit, "
            "seed or handover");
}

TEST(ImpairOptions, WhatContradictsItself) {
  EXPECT_EQ(wrong("loss: {random: 1%, gemodel: {p: 1%}}"),
            ".loss: is not one model; expected one of random, state and gemodel");
  EXPECT_EQ(wrong("loss: {gemodel: {p: 1%}, correlation: 5%}"),
            ".loss.correlation: is part of the model already; expected it beside random alone");
  EXPECT_EQ(wrong("loss: {state: {p13: 60%, p14: 50%}}"),
            ": p13 and p14 are more than 100 % together; expected values that fit together");
  EXPECT_EQ(wrong("reorder: 25%"),
            ".reorder: lets datagrams leave ahead of those that are delayed; expected delay beside "
            "it");
  EXPECT_EQ(wrong("delay: 1ms, distribution: normal"),
            ".distribution: says how jitter is spread; expected jitter beside it");
  EXPECT_EQ(wrong("delay: 1ms, correlation: 5%"),
            ".correlation: says how jitter is spread; expected jitter beside it");
  EXPECT_EQ(wrong("jitter: 1ms"),
            ".jitter: is how much the delay varies; expected delay beside it");
  EXPECT_EQ(wrong("delay: 1ms, jitter: 1ms, distribution: normal, table: x.dist"),
            ".table: stands beside distribution; expected one of the two");
  EXPECT_EQ(wrong("delay: 1ms, jitter: 1ms, distribution: gauss"),
            ".distribution: \"gauss\" is no distribution; expected uniform, normal, pareto or "
            "paretonormal (table: FILE for one's own)");
  EXPECT_EQ(wrong("corrupt: {rate: 1%, from: 13, to: 12}"),
            ".corrupt.to: is before from; expected the same byte or a later one");
  EXPECT_EQ(wrong("corrupt: {from: 13}"), ".corrupt: says no share; expected rate in it");
  EXPECT_EQ(wrong("rate: {rate: 1mbit, cell_overhead: 5}"),
            ".rate.cell_overhead: is each cell's; expected cell beside it");
  EXPECT_EQ(wrong("slot: {min: 1ms, delay: 1ms}"),
            ".slot: says not in one way how far slots are apart; expected min and max, or delay, "
            "jitter and distribution");
  EXPECT_EQ(wrong("slot: {min: 2ms, max: 1ms}"),
            ".slot.max: is less than min; expected as much or more");
  EXPECT_EQ(wrong("handover: {every: 1s, length: 1s}"),
            ".handover.length: is as long as the time between two handovers; expected less than "
            "every");
}

class ImpairTable : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    test::overwrite(directory_.file(name), text);
  }
  std::string file() const { return directory_.file("routes.yaml"); }
  static std::string text(const std::string& table) {
    return with("{delay: 1ms, jitter: 1ms, table: " + table + "}");
  }
  std::string wrong(const std::string& table) {
    const auto error = error_of(text(table), file());
    const std::string path = "flows.v.impair.table: ";
    return error.substr(error.find(path) + path.size());
  }

  test::TemporaryDirectory directory_;
};

TEST_F(ImpairTable, IsReadInNetemsFormat) {
  write("lte.dist", "# a comment\n -32768 -5\n\t0 # another\n\n5 32767\n");
  const auto network = good(text("lte.dist"), file());
  const auto& profile = *network.flows.at(0).impair.forward;
  EXPECT_EQ(profile.spreading, Spreading::kTable);
  EXPECT_EQ(*profile.table.values, (std::vector<std::int16_t>{-32768, -5, 0, 5, 32767}));
}

TEST_F(ImpairTable, MistakesNameTheFileAndNothingThatIsInIt) {
  write("bad.dist", "1 2\n3 secret\n");
  write("far.dist", "32768\n");
  write("none.dist", "# nothing\n");
  std::string many;
  for (int i = 0; i < 16'385; ++i) many += "1\n";
  write("many.dist", many);
  EXPECT_EQ(wrong("bad.dist"),
            "\"bad.dist\" has something else on its line 2; expected whole numbers from -32768 to "
            "32767, as netem's tables have");
  EXPECT_EQ(wrong("far.dist").find("\"far.dist\" has something else on its line 1"), 0U);
  EXPECT_EQ(wrong("none.dist"), "\"none.dist\" has 0 values; expected 1 to 16384");
  EXPECT_EQ(wrong("many.dist"), "\"many.dist\" has 16385 values; expected 1 to 16384");
  EXPECT_EQ(wrong("gone.dist"),
            "\"gone.dist\" can't be read: No such file or directory; expected a file beside "
            "routes.yaml or in a folder there, like lte.dist");
  EXPECT_EQ(wrong("."),
            "\".\" can't be read: Invalid argument; expected a file beside routes.yaml "
            "or in a folder there, like lte.dist");
  for (const auto* elsewhere : {"/etc/passwd", "../x.dist", "a/../../x"}) {
    EXPECT_NE(
        wrong(elsewhere).find("is elsewhere; expected a file beside routes.yaml or in a folder "
                              "there, like lte.dist"),
        std::string::npos)
        << elsewhere;
  }
}

TEST_F(ImpairTable, AllTogetherHaveAnEnd) {
  std::string many;
  for (int i = 0; i < 16'384; ++i) many += "1\n";
  write("many.dist", many);
  const auto flows = [](int count) {
    std::string text =
        "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, g4: {}}\nimpairments:\n  t: {delay: "
        "1ms, jitter: 1ms, table: many.dist}\nflows:\n";
    for (int i = 1; i <= count; ++i) {
      text += "  f" + std::to_string(i) + ": {protocol: udp, port: " + std::to_string(i) +
              ", from: d3, to: g4, impair: t}\n";
    }
    return text;
  };
  EXPECT_EQ(good(flows(16), file()).flows.size(), 16U);
  EXPECT_NE(error_of(flows(17), file())
                .find(":6:3: flows: has impairments with 278528 values of tables; expected at most "
                      "262144 in all"),
            std::string::npos);
}

TEST(ImpairOptions, ProgramsEditIt) {
  const std::string text = with("lte-good");
  const auto before = std::get<RoutesDocument>(parse_document(text, "f"));
  EXPECT_EQ(before.json.at("flows").at("v").at("impair"), "lte-good");
  const auto edit = [&](boost::json::value value) {
    return edit_routes(before, EditValue{EditValue::Action::kMerge, {"flows", "v"}, value}, "f");
  };
  const auto after = edit({{"impair", {{"loss", "2%"}, {"delay", "40ms"}}}});
  ASSERT_TRUE(after.has_value());
  EXPECT_NE(after->text.find("impair: {loss: \"2%\", delay: 40ms}"), std::string::npos)
      << after->text;
  EXPECT_EQ(after->network.flows.at(0).impair.forward->delay_us, 40'000U);
  const auto removed = edit({{"impair", nullptr}});
  ASSERT_TRUE(removed.has_value());
  EXPECT_FALSE(removed->network.flows.at(0).impair.is_set());
  const auto refused = edit({{"impair", {{"loss", "200%"}}}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().fields.at(0).path, "flows.v.impair.loss");
}

}  // namespace
}  // namespace wormhole
