// Strangers on the path of a running network: datagrams of the input's making, genuine ones that it
// alters or repeats, and INITs of somebody who knows the knock key. Nothing may be lost by it.
#include "fuzz/support/input.hpp"
#include "sim/attacker.hpp"
#include "sim/stage.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/crypto/handshake.hpp"

namespace wormhole::sim {
namespace {

constexpr int kMaxSteps = 200;
constexpr std::size_t kMacAt = kInitSize - 2 * kMacSize;

void alter(fuzz::Input& input, std::vector<std::uint8_t>& bytes) {
  const auto how = input.byte();
  if ((how & 1) != 0 && !bytes.empty()) {
    const auto at = input.number<std::uint16_t>() % bytes.size();
    for (const auto change : input.take(how >> 4)) bytes[at] ^= change;
  }
  if ((how & 2) != 0) bytes.resize(input.number<std::uint16_t>() % (bytes.size() + 1));
  if ((how & 4) != 0) bytes.resize(bytes.size() + input.byte());
}

void pass_mac1(const Stage& stage, std::vector<std::uint8_t>& init) {
  init.resize(kInitSize);
  init[0] = 0x01;
  const auto& network = stage.server_spec.network;
  const auto key = mac1_key(network.server_key, network.knock);
  blake2b(MutBytes(init).subspan(kMacAt, kMacSize), key.bytes, {Bytes(init).first(kMacAt)});
}

void step(fuzz::Input& input, World& world, Stage& stage, Attacker& attacker,
          const std::vector<Packet>& taken) {
  const auto what = input.byte();
  if (what % 4 == 0) return world.run_for(Duration{input.byte() * 1ms});
  const auto& model = taken[input.number<std::uint16_t>() % taken.size()];
  auto bytes = model.bytes;
  if (what % 4 == 1) {
    alter(input, bytes);
  } else {
    const auto own = input.chunk();
    bytes.assign(own.begin(), own.end());
  }
  if (what % 4 == 3) pass_mac1(stage, bytes);
  const Endpoint nobody{IpAddress::v4(203, 0, 113, 222), 5};
  attacker.send((what & 4) != 0 ? nobody : model.from, (what & 8) != 0 ? model.from : model.to,
                std::move(bytes));
}

void run(fuzz::Input input) {
  World world(1);
  Stage stage(world);
  Attacker attacker(world);
  WH_ASSERT(stage.start());
  stage.both_ways(20ms);
  WH_ASSERT(stage.until_both_ways(2s));
  const auto taken = attacker.captured();
  const auto since = world.now();
  for (int i = 0; i < kMaxSteps && !input.empty(); ++i) {
    step(input, world, stage, attacker, taken);
  }
  world.run_for(100ms);
  stage.stop_traffic();
  world.run_for(1s);
  if (!world.ok()) fail_invariant(world.report().c_str(), __FILE__, __LINE__);
  for (const char* id : {"drone3", "gcs4"}) {
    WH_ASSERT(world.ledger().delivered(id, "mavlink", since) ==
              world.ledger().sent(id, "mavlink", since));
  }
}

}  // namespace
}  // namespace wormhole::sim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wormhole::sim::run(wormhole::fuzz::Input(data, size));
  return 0;
}
