// A real server against two clients and a stranger with an invite, all with genuine keys, who say
// what the input tells them to.
#include "fuzz/support/hostile_clients.hpp"
#include "fuzz/support/input.hpp"

namespace wormhole::fuzz {
namespace {

/// What the fixed routes let `who` relay (network() in parties.cpp), in the widest configuration.
void relay(Input& input, HostileClients& world, std::size_t who) {
  const FlowNo flow{static_cast<std::uint16_t>(input.byte() % 4)};
  const ClientNo to{static_cast<std::uint16_t>(input.byte() % 11)};
  const auto index = make_index(to, input.number<std::uint16_t>());
  const bool permitted = who == HostileClients::kGcsEnd
                             ? (to == kDrone || to == ClientNo{9}) && flow.value <= 1
                             : to == kGcs && (flow.value <= 1 || (who == 0 && flow == kVideo));
  const auto forwarded = world.relay(who, flow, index, input.chunk());
  WH_ASSERT(permitted || !forwarded);
}

void reconfigure(Input& input, HostileClients& world) {
  auto changed = network();
  auto known = directory();
  const auto gone = input.byte();
  std::erase_if(changed.clients, [&](const auto& c) {
    return (c.id == "drone3" && (gone & 1) != 0) || (c.id == "gcs4" && (gone & 2) != 0);
  });
  if ((gone & 3) != 0) changed.flows.clear();
  if ((gone & 4) != 0 && !changed.flows.empty()) changed.flows.pop_back();
  if ((gone & 8) != 0) known.clients["drone3"].binding->key = parties().stranger.public_key;
  if ((gone & 16) != 0) known.clients["gcs4"].binding.reset();
  world.server().set_plan(plan_network(changed, known, &world.server().plan()), world.now(),
                          world.out());
  world.pump();
}

void step(Input& input, HostileClients& world) {
  const auto what = input.byte();
  const auto who = what % 3U;
  switch (what / 3 % 11) {
    case 0:
      return world.control(who, input.chunk());
    case 1:
      return world.stream(who, input.chunk());
    case 2:
      return relay(input, world, who);
    case 3:
      return world.pause(input.pause());
    case 4: {
      InitPayload payload;
      payload.boot_id = input.byte();
      payload.attempt = input.byte();
      payload.highest_version = static_cast<std::uint8_t>(1 + input.byte() % 2);
      // Once enrolled it may come back as drone9.
      const bool enrols = who == HostileClients::kStrangerEnd && payload.boot_id < 200;
      payload.invite_hash[0] = enrols;
      return world.connect(who, payload);
    }
    case 5: {
      const auto ticket = input.byte();
      const auto result = static_cast<EnrolResult>(input.byte() % 7);
      world.server().on_enrolled(ticket, result, world.now(), world.out());
      world.pump();
      return;
    }
    case 6:
      return reconfigure(input, world);
    case 7:
      return world.raw(who, input.chunk());
    case 8:
      return world.move(who, input.byte());
    case 9:
      return world.stream(who, encode(EnrolRequest{parties().enrolment}));
    default:
      if (input.byte() != 0xee) return;  // rare: nothing happens after it
      world.server().shutdown(input.pause(), world.now(), world.out());
      world.pump();
  }
}

}  // namespace
}  // namespace wormhole::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wormhole::fuzz;
  Input input(data, size);
  HostileClients world;
  while (!input.empty()) step(input, world);
  check_status(world.server().status(world.now()));
  return 0;
}
