// The input is a schedule of what happens to a running network: losses, copies, reordering,
// restarts, sleep, new NAT mappings. Whatever it was, once it ends everything works again.
#include "fuzz/support/input.hpp"
#include "sim/stage.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole::sim {
namespace {

constexpr int kMaxSteps = 40;
/// Two of the longest retries, a resolve and a dead session's discovery, several times over.
constexpr Duration kHealed = 30s;

void spoil(fuzz::Input& input, Host& host) {
  auto& profile = (input.byte() & 1) != 0 ? host.up.profile : host.down.profile;
  const auto share = [&] { return input.byte() / 400.0; };
  profile.loss = share();
  profile.duplicate = share();
  profile.reorder = share();
  profile.reorder_by = input.byte() * 4ms;
  profile.corrupt = share();
  profile.jitter = input.byte() * 1ms;
}

void restart_server(fuzz::Input& input, World& world, Stage& stage) {
  if ((input.byte() & 1) != 0) {
    stage.server().stop(input.byte() * 10ms);
  } else {
    stage.server().kill();
  }
  world.run_for(input.pause() / 4);
  stage.server().start();
}

void restart_client(fuzz::Input& input, World& world, ClientNode& client) {
  if (!client.running()) return client.start();
  const auto how = input.byte() % 3;
  if (how == 0) client.kill();
  if (how == 1) client.stop();
  if (how == 2) client.suspend();
  world.run_for(input.pause() / 4);
  how == 2 ? client.resume() : client.start();
}

void step(fuzz::Input& input, World& world, Stage& stage) {
  const auto what = input.byte();
  auto& client = (what & 128) != 0 ? stage.gcs() : stage.drone();
  switch (what % 6) {
    case 0:
      return world.run_for(input.pause() / 4);
    case 1:
      return spoil(input, client.host());
    case 2:
      return restart_server(input, world, stage);
    case 3:
      return restart_client(input, world, client);
    case 4:
      return client.host().nat->forget_mappings();
    default:
      client.send((what & 64) != 0 ? "video" : "mavlink", 8 + input.byte() * 5U,
                  input.byte() % 64U + 1);
  }
}

void run(fuzz::Input input) {
  World world(1);
  Stage stage(world);
  WH_ASSERT(stage.start());
  for (int i = 0; i < kMaxSteps && !input.empty() && world.ok(); ++i) step(input, world, stage);
  for (auto* client : {&stage.drone(), &stage.gcs()}) {
    client->host().up.profile = client->host().down.profile = stage.options.link;
    if (!client->running()) client->start();
  }
  stage.both_ways(50ms);
  const bool healed = stage.until_both_ways(kHealed).has_value();
  if (!world.ok() || !healed) fail_invariant(world.report().c_str(), __FILE__, __LINE__);
}

}  // namespace
}  // namespace wormhole::sim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wormhole::sim::run(wormhole::fuzz::Input(data, size));
  return 0;
}
