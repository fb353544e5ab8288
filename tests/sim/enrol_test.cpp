// Enrolment: a code makes one key the key of an ID, once.
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

/// What `wormhole enroll` starts: a new key and its binding by a code.
ClientSpec enrolling(Stage& stage, const std::string& id, const SecretKey& seed,
                     const InviteStatement& statement) {
  auto spec = stage.spec_of(id);
  spec.keys = KeyPair::generate(stage.world.rng());
  spec.enrol = make_binding(seed, spec.network.network, statement, spec.keys.public_key);
  return spec;
}

bool worked(const ClientNode& node) {
  return node.enrol_finished() && !node.enrol_finished()->error;
}

bool failed(const ClientNode& node) {
  return node.enrol_finished() && node.enrol_finished()->error &&
         !node.enrol_finished()->error->empty();
}

TEST(SimEnrol, ACodeMakesAClientThatEverybodyBelieves) {
  Samples samples("enrolment, start to end");
  for_each_seed(40, [&](World& world) {
    StageOptions options;
    options.enrolled = false;
    options.link = {.delay = between(world.rng(), 1ms, 50ms),
                    .loss = share_up_to(world.rng(), 0.1)};
    Stage stage(world, options);
    stage.server().start();
    for (const char* id : {"drone3", "gcs4"}) {
      const auto [seed, statement] = stage.invite(id);
      auto spec = enrolling(stage, id, seed, statement);
      auto& enrolment = stage.add_client(std::string(id) + " enrols", spec);
      const auto begin = world.now();
      enrolment.start();
      ASSERT_TRUE(world.run_until([&] { return enrolment.enrol_finished().has_value(); }, 10s));
      ASSERT_TRUE(worked(enrolment)) << *enrolment.enrol_finished()->error;
      samples.add(world.now() - begin);
      spec.enrol.reset();
      stage.add_client(id, spec).start();
    }
    stage.both_ways(20ms);
    EXPECT_TRUE(stage.until_both_ways(5s));
  });
  samples.print();
}

TEST(SimEnrol, OfAHundredTriesOfOneCodeExactlyOneWorks) {
  for_each_seed(3, [](World& world) {
    StageOptions options;
    options.enrolled = false;
    options.link = {.delay = 10ms, .jitter = 10ms};
    Stage stage(world, options);
    stage.server().start();
    const auto [seed, statement] = stage.invite("drone3");
    std::vector<ClientNode*> all;
    for (int i = 0; i < 100; ++i) {
      all.push_back(&stage.add_client("try " + std::to_string(i),
                                      enrolling(stage, "drone3", seed, statement)));
    }
    for (auto* one : all) one->start();
    const auto ended = [&] {
      return std::all_of(all.begin(), all.end(),
                         [](auto* n) { return n->enrol_finished() || n->refused(); });
    };
    ASSERT_TRUE(world.run_until(ended, 60s));
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [](auto* n) { return worked(*n); }), 1);
    const auto winner = std::find_if(all.begin(), all.end(), [](auto* n) { return worked(*n); });
    const auto& stored = stage.server().directory.clients["drone3"].binding;
    ASSERT_TRUE(stored && winner != all.end());
    EXPECT_EQ(stored->key, (*winner)->spec().keys.public_key);
  });
}

TEST(SimEnrol, AUsedAnUnknownAndAForgedCodeFailWithASentence) {
  for_each_seed(20, [](World& world) {
    StageOptions options;
    options.enrolled = false;
    Stage stage(world, options);
    stage.server().start();
    const auto [used_seed, used] = stage.invite("drone3");
    stage.server().codes[used.invite_key] = true;
    const auto [unknown_seed, unknown] = stage.invite("drone3");
    stage.server().codes.erase(unknown.invite_key);
    const auto once = SigningKey::generate(world.rng());
    const auto forged =
        make_statement(SigningKey::generate(world.rng()), stage.server_spec.network.network,
                       "drone3", once.public_key, 1, ~std::uint64_t{0});
    stage.server().codes[once.public_key] = false;  // even if the store would take it
    for (const auto& spec : {enrolling(stage, "drone3", used_seed, used),
                             enrolling(stage, "drone3", unknown_seed, unknown),
                             enrolling(stage, "drone3", once.seed, forged)}) {
      auto& node = stage.add_client("try", spec);
      node.start();
      ASSERT_TRUE(world.run_until([&] { return node.enrol_finished().has_value(); }, 10s));
      EXPECT_TRUE(failed(node));
    }
    EXPECT_FALSE(stage.server().directory.clients["drone3"].binding);
  });
}

TEST(SimEnrol, AnEnrolledDroneThatEnrolsAgainReplacesItsOldKey) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(2s));
    const auto [seed, statement] = stage.invite("drone3");
    auto spec = enrolling(stage, "drone3", seed, statement);
    stage.drone().kill();
    auto& enrolment = stage.add_client("enrols", spec);
    enrolment.start();
    ASSERT_TRUE(world.run_until([&] { return enrolment.enrol_finished().has_value(); }, 5s));
    ASSERT_TRUE(worked(enrolment)) << *enrolment.enrol_finished()->error;
    stage.stop_traffic();
    spec.enrol.reset();
    stage.add_client("new drone3", spec).start();
    stage.traffic("new drone3", "mavlink", 20ms);
    EXPECT_TRUE(stage.until_delivery("drone3", "mavlink", 3s));
    stage.drone().start();  // the old key
    ASSERT_TRUE(world.run_until([&] { return stage.drone().refused().has_value(); }, 3s));
    EXPECT_EQ(stage.drone().refused()->reason, Refused::Reason::kWrongKey);
  });
}

}  // namespace
}  // namespace wormhole::sim
