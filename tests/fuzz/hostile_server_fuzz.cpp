// A real client against a server and a peer that hold genuine keys and lie: everything behind the
// seal. The input is a script of what they say.
#include "fuzz/support/hostile_server.hpp"
#include "fuzz/support/input.hpp"

namespace wormhole::fuzz {
namespace {

FlowNo some_flow(Input& input) { return FlowNo{static_cast<std::uint16_t>(input.byte() % 4)}; }

AppPort some_port(Input& input) {
  const auto flow = some_flow(input);
  return {flow, ClientNo{static_cast<std::uint16_t>(input.byte() % 4)}};
}

/// A peer as servers announce them, true or not.
void announce(Input& input, HostileServer& world) {
  const auto choice = input.byte();
  PeerPut message;
  message.number = ClientNo{input.number<std::uint16_t>()};
  message.boot_id = input.byte();
  message.binding = choice % 2 == 0 ? parties().gcs_binding : parties().enrolment;
  if ((choice & 2) != 0) message.binding.id = std::string("x").append(std::to_string(input.byte()));
  if ((choice & 4) != 0) message.binding.key.bytes[0] ^= input.byte();
  if ((choice & 8) != 0) message.binding.chain.reset();
  world.hop_stream(encode(message));
}

void step(Input& input, HostileServer& world) {
  switch (input.byte() % 12) {
    case 0:
      return world.hop_control(input.chunk());
    case 1:
      return world.hop_stream(input.chunk());
    case 2: {
      const auto kind = input.byte();
      return world.hop_message(kind, input.chunk());
    }
    case 3:
      return world.peer_control(input.chunk());
    case 4: {
      const auto flow = some_flow(input);
      return world.peer_data(flow, input.chunk());
    }
    case 5:
      return world.pause(input.pause());
    case 6: {
      const auto flow = some_flow(input);
      return world.app_datagram(flow, input.number<std::uint16_t>() % 2000);
    }
    case 7: {
      const auto verdict = input.byte();
      return world.answer_with(verdict, kServerBoot + input.byte());
    }
    case 8:
      world.client().on_flow_port(some_port(input), "port in use", world.now(), world.out());
      return world.pump();
    case 9:
      return world.raw(input.chunk());
    case 10:
      return announce(input, world);
    default:
      world.client().on_app_refused(some_port(input), kAppAt, world.now());
  }
}

}  // namespace
}  // namespace wormhole::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wormhole::fuzz;
  Input input(data, size);
  HostileServer world;
  while (!input.empty()) step(input, world);
  check_status(world.client().status(world.now()));
  return 0;
}
