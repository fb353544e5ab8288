// routes.yaml: any text is either a network or a list of errors that people can read.
#include "fuzz/support/input.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/config/routes_file.hpp"
#include "wormhole/model/routing.hpp"

namespace wormhole::fuzz {
namespace {

constexpr std::size_t kMostErrors = 20 + 1;  // routes_file.hpp, and "and N more" without a line

void check_errors(const std::vector<ConfigError>& errors) {
  WH_ASSERT(!errors.empty() && errors.size() <= kMostErrors);
  for (const auto& error : errors) {
    WH_ASSERT(!error.message.empty() && (error.line > 0 || &error == &errors.back()));
  }
}

/// What is accepted can be routed.
void check_network(const Network& network) {
  for (const auto& [id, flows] : resolve(network)) {
    WH_ASSERT(network.find_client(id) != nullptr);
    for (const auto& member : flows) WH_ASSERT(!member.peers.contains(id));
  }
}

}  // namespace
}  // namespace wormhole::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wormhole;
  crypto_init();
  const auto result = parse_routes(as_text({data, size}), "routes.yaml");
  if (const auto* network = std::get_if<Network>(&result)) {
    fuzz::check_network(*network);
  } else {
    fuzz::check_errors(std::get<std::vector<ConfigError>>(result));
  }
  return 0;
}
