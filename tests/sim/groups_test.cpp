// 1:N with one upload: everybody hears everything once, whoever comes, goes, restarts or is silent.
#include <algorithm>
#include <set>

#include "sim/attacker.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

constexpr std::uint16_t kServerPort = 7700;

Members ground(std::size_t count) {
  Members ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back("gcs" + std::to_string(i + 1));
  return ids;
}

/// drone3 sends video to `count` ground stations, by the relay unless `p2p`.
StageOptions fleet(std::size_t count, bool p2p = false) {
  StageOptions options;
  options.clients = ground(count);
  options.clients.insert(options.clients.begin(), "drone3");
  options.p2p = p2p;
  return options;
}

struct Video {
  explicit Video(World& of, StageOptions options) : world(of), stage(of, std::move(options)) {}
  /// Video flows, and groups have had time to form.
  bool begin(std::size_t size = 1200) { return stage.start() && flow(size); }
  bool flow(std::size_t size = 1200) {
    stage.traffic("drone3", "video", 10ms, size);
    world.run_for(2s);
    return world.ok();
  }
  SpreadStatus spread() {
    for (const auto& flow : stage.client("drone3").status().flows) {
      if (flow.name == "video") return flow.spread.value_or(SpreadStatus{});
    }
    return {};
  }
  /// Datagrams of [since, until) that did not reach each of `ids`.
  std::size_t missing(const Members& ids, TimePoint since, TimePoint until) {
    std::size_t lost = 0;
    for (const auto& record : world.ledger().records()) {
      if (record.flow != "video" || record.at < since || record.at >= until) continue;
      for (const auto& id : ids) {
        lost += std::none_of(record.deliveries.begin(), record.deliveries.end(),
                             [&](const auto& delivery) { return delivery.id == id; });
      }
    }
    return lost;
  }
  /// Those of the time from now on.
  std::size_t missing_in(Duration time, const Members& ids) {
    const auto since = world.now();
    world.run_for(time);
    const auto until = world.now();
    world.run_for(500ms);  // for what is under way
    return missing(ids, since, until);
  }
  void set_receivers(const Members& ids) {
    auto changed = stage.network;
    changed.flows.at(1).routes.at(0).second = ids;
    world.ledger().set_network(changed, world.now());
    stage.server().set_network(changed);
  }
  std::uint64_t counter(const std::string& name) {
    for (const auto& [cause, count] : stage.server().status().counters) {
      if (cause == name) return count;
    }
    return 0;
  }

  World& world;
  Stage stage;
};

TEST(SimGroups, TenReceiversCostOneUpload) {
  for_each_seed(10, [](World& world) {
    Video video(world, fleet(10));
    Attacker tap(world);
    ASSERT_TRUE(video.begin());
    EXPECT_EQ(video.spread().uploads, 1U);
    EXPECT_EQ(video.spread().grouped, 10U);
    const auto since = world.now();
    std::size_t up = 0;
    std::size_t one_receivers = 0;
    const auto receiver = video.stage.nat_of("gcs1")->external();
    tap.on_packet = [&](Packet& packet) {
      if (packet.bytes.size() < 1000) return true;
      if (at_server(packet.to)) up += packet.bytes.size();
      if (packet.to.address == receiver) one_receivers += packet.bytes.size();
      return true;
    };
    world.run_for(5s);
    const auto until = world.now();
    world.run_for(500ms);
    EXPECT_EQ(video.missing(ground(10), since, until), 0U);
    EXPECT_GT(one_receivers, 400U * 1200);
    EXPECT_LE(static_cast<double>(up), 1.12 * static_cast<double>(one_receivers));
  });
}

TEST(SimGroups, NothingIsLostWhileGroupsForm) {
  for_each_seed(20, [](World& world) {
    Video video(world, fleet(5));
    ASSERT_TRUE(video.stage.start());
    const auto since = world.now();
    ASSERT_TRUE(video.flow());
    const auto until = world.now();
    world.run_for(500ms);
    EXPECT_EQ(video.missing(ground(5), since, until), 0U);
  });
}

TEST(SimGroups, FortyReceiversAreThreeUploads) {
  for_each_seed(3, [](World& world) {
    Video video(world, fleet(40));
    ASSERT_TRUE(video.begin(300));
    EXPECT_EQ(video.spread().uploads, 3U);
    EXPECT_EQ(video.missing_in(2s, ground(40)), 0U);
  });
}

TEST(SimGroups, WhoLeavesAndWhoJoinsCostsTheOthersNothing) {
  for_each_seed(20, [](World& world) {
    Video video(world, fleet(6));
    ASSERT_TRUE(video.begin());
    const Members all = ground(6);
    const Members stay(all.begin(), all.end() - 1);
    const auto since = world.now();
    for (int change = 0; change < 6; ++change) {
      video.set_receivers(change % 2 == 0 ? stay : all);
      world.run_for(1s);
      // A second after the change the new key is in use, and one upload is enough again.
      EXPECT_EQ(video.spread().uploads, 1U) << change;
      EXPECT_EQ(video.spread().grouped, change % 2 == 0 ? 5U : 6U);
    }
    const auto until = world.now();
    world.run_for(500ms);
    EXPECT_EQ(video.missing(stay, since, until), 0U);
  });
}

TEST(SimGroups, WhoHasLeftCannotReadWhatComesAfter) {
  for_each_seed(10, [](World& world) {
    Video video(world, fleet(3));
    Attacker tap(world);
    ASSERT_TRUE(video.begin());
    video.set_receivers({"gcs1", "gcs2"});
    world.run_for(1s);
    // What the others get now is carried to gcs3 as well, as if a thief of the server did it.
    const auto to = video.stage.nat_of("gcs3")->external();
    tap.forget();
    world.run_for(200ms);
    const auto seen = tap.captured_of(0x13);
    ASSERT_FALSE(seen.empty());
    const auto mapped = video.stage.client("gcs3").status().server.observed;
    ASSERT_TRUE(mapped.has_value());
    EXPECT_EQ(mapped->address, to);
    const auto before =
        video.stage.drops("gcs3", "no_flow") + video.stage.drops("gcs3", "unknown_peer");
    for (const auto& packet : seen) {
      tap.send({packet.from.address, kServerPort}, *mapped, packet.bytes);
    }
    world.run_for(200ms);
    EXPECT_EQ(video.stage.drops("gcs3", "no_flow") + video.stage.drops("gcs3", "unknown_peer"),
              before + seen.size());
  });
}

TEST(SimGroups, AReceiverCannotSpeakForTheSender) {
  for_each_seed(10, [](World& world) {
    Video video(world, fleet(3));
    Attacker tap(world);
    ASSERT_TRUE(video.begin());
    // gcs1's copies, which it has the keys of, go to gcs2: with the counter of frames that gcs2
    // has not seen. Swapped before they arrive, so that no window is in the way.
    const auto at_gcs2 = video.stage.client("gcs2").status().server.observed;
    const auto at_gcs1 = video.stage.client("gcs1").status().server.observed;
    ASSERT_TRUE(at_gcs1 && at_gcs2);
    tap.on_packet = [&](Packet& packet) {
      if (packet.bytes[0] != 0x13) return true;
      if (packet.to.address == at_gcs2->address) return false;
      if (packet.to.address != at_gcs1->address) return true;
      packet.from.port = kServerPort;  // which all NATs let in
      packet.to = *at_gcs2;
      return true;
    };
    world.run_for(100ms);
    const auto since = world.now();
    world.run_for(1s);
    const auto until = world.now();
    world.run_for(100ms);
    EXPECT_EQ(video.missing({"gcs2"}, since, until), video.missing({"gcs1"}, since, until));
    EXPECT_GT(video.missing({"gcs2"}, since, until), 90U);
    EXPECT_GT(video.stage.drops("gcs2", "group_forged"), 90U);
  });
}

TEST(SimGroups, ReplaysAreNotAmplified) {
  for_each_seed(10, [](World& world) {
    Video video(world, fleet(4));
    Attacker tap(world);
    ASSERT_TRUE(video.begin());
    tap.forget();
    world.run_for(300ms);
    const auto seen = tap.captured_of(0x12);
    ASSERT_GT(seen.size(), 20U);
    const auto uploads = video.counter("group_uploads");
    tap.forget();
    for (const auto& packet : seen) tap.replay(packet, packet.from);
    world.run_for(200ms);
    EXPECT_GE(video.counter("group_replayed"), seen.size());
    EXPECT_LE(tap.captured_of(0x13).size(), 4 * (video.counter("group_uploads") - uploads));
  });
}

TEST(SimGroups, ARestartedReceiverIsServedAgain) {
  for_each_seed(10, [](World& world) {
    Video video(world, fleet(4));
    ASSERT_TRUE(video.begin());
    const auto since = world.now();
    video.stage.client("gcs2").kill();
    world.run_for(500ms);
    video.stage.client("gcs2").start();
    world.run_for(3s);
    const auto back = world.now();
    EXPECT_EQ(video.spread().uploads, 1U);
    world.run_for(1s);
    const auto until = world.now();
    world.run_for(500ms);
    EXPECT_EQ(video.missing({"gcs1", "gcs3", "gcs4"}, since, until), 0U);
    EXPECT_EQ(video.missing({"gcs2"}, back, until), 0U);
  });
}

TEST(SimGroups, ARestartedServerIsToldAgain) {
  for_each_seed(10, [](World& world) {
    Video video(world, fleet(4));
    ASSERT_TRUE(video.begin());
    video.stage.server().kill();
    world.run_for(1s);
    video.stage.server().start();
    world.run_for(5s);
    const auto since = world.now();
    EXPECT_EQ(video.spread().uploads, 1U);
    world.run_for(2s);
    const auto until = world.now();
    world.run_for(500ms);
    EXPECT_EQ(video.missing(ground(4), since, until), 0U);
  });
}

TEST(SimGroups, ASilentReceiverHoldsUpNobody) {
  for_each_seed(10, [](World& world) {
    Video video(world, fleet(4));
    Attacker tap(world);
    ASSERT_TRUE(video.stage.start());
    const auto at = video.stage.nat_of("gcs3")->external();
    tap.on_packet = [at](Packet& packet) { return packet.to.address != at; };
    ASSERT_TRUE(video.flow());
    EXPECT_EQ(video.spread().grouped, 3U);
    EXPECT_EQ(video.missing_in(2s, {"gcs1", "gcs2", "gcs4"}), 0U);
  });
}

TEST(SimGroups, AnUplinkThatTheUploadsForAllOverfillIsRelieved) {
  for_each_seed(10, [](World& world) {
    auto options = fleet(10);
    options.link.bits_per_second = 2'000'000;  // for 1 Mbit/s of video
    Video video(world, std::move(options));
    ASSERT_TRUE(video.stage.start());
    // No multiple of what timers have, or the same packets would meet a full queue each time.
    video.stage.traffic("drone3", "video", 9'700us, 1200);
    world.run_for(15s);
    EXPECT_EQ(video.spread().uploads, 1U);
    EXPECT_EQ(video.missing_in(2s, ground(10)), 0U);
  });
}

TEST(SimGroups, KeysAreRenewedWithoutLoss) {
  for_each_seed(2, [](World& world) {
    Video video(world, fleet(3));
    ASSERT_TRUE(video.begin(200));
    EXPECT_EQ(video.missing_in(400s, ground(3)), 0U);
    EXPECT_EQ(video.spread().uploads, 1U);
  });
}

TEST(SimGroups, LossyLinksLoseNoMoreThanTheyDo) {
  for_each_seed(5, [](World& world) {
    auto options = fleet(5);
    options.link.loss = 0.05;
    Video video(world, std::move(options));
    ASSERT_TRUE(video.begin());
    const auto since = world.now();
    world.run_for(60s);
    const auto until = world.now();
    world.run_for(500ms);
    // Two links, 5 % each: 9.75 % of 6,000 × 5.
    EXPECT_LE(static_cast<double>(video.missing(ground(5), since, until)), 0.11 * 6000 * 5);
    EXPECT_LE(video.spread().uploads, 2U);
  });
}

TEST(SimGroups, LongDatagramsGoInFragments) {
  for_each_seed(5, [](World& world) {
    Video video(world, fleet(4));
    ASSERT_TRUE(video.begin(9000));
    EXPECT_EQ(video.spread().uploads, 1U);
    EXPECT_EQ(video.missing_in(1s, ground(4)), 0U);
  });
}

TEST(SimGroups, DirectPathsAreUsedAsTheFlowWantsIt) {
  for (const auto spread : {Spread::kAuto, Spread::kRelay, Spread::kDirect}) {
    for_each_seed(5, [&](World& world) {
      Video video(world, fleet(3, true));
      video.stage.network.flows.at(1).spread = spread;
      ASSERT_TRUE(video.stage.start());
      world.ledger().set_network(video.stage.network, world.now());
      video.stage.server().set_network(video.stage.network);
      ASSERT_TRUE(video.flow());
      world.run_for(10s);
      for (const auto& peer : video.stage.client("drone3").status().peers) {
        EXPECT_EQ(peer.path, PathKind::kDirect) << peer.id;
      }
      // The relay adds nothing in this world, so auto takes it.
      const bool direct = spread == Spread::kDirect;
      EXPECT_EQ(video.spread().uploads, direct ? 3U : 1U);
      EXPECT_EQ(video.spread().alone, direct ? 3U : 0U);
    });
  }
}

TEST(SimGroups, AutoKeepsWhomTheRelayWouldKeepWaiting) {
  for_each_seed(5, [](World& world) {
    Video video(world, fleet(3, true));
    // The server is far away: 40 ms more each way.
    Attacker tap(world);
    ASSERT_TRUE(video.stage.start());
    video.stage.server().host().up.profile.delay = 40ms;
    ASSERT_TRUE(video.flow());
    world.run_for(10s);
    EXPECT_EQ(video.spread().uploads, 3U);
  });
}

}  // namespace
}  // namespace wormhole::sim
