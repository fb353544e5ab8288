// How long an edit over REST takes until it is in force at all that it concerns, with a crowd of
// clients on the server. bench/edits.py runs it:
//
//   crowd_edits prepare DIR N      makes DIR/state and DIR/routes.yaml
//   crowd_edits edit DIR N EDITS   connects the N clients to the server that runs there, then edits
//                                  a flow of ten of them EDITS times; one line of JSON
//
// The edit is a blocking PATCH on a second thread: from just before the request until the last of
// the ten has been told to open the flow's new port.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "crowd.hpp"
#include "wormhole/api/http_client.hpp"

namespace wormhole {
namespace {

const Endpoint kServer{IpAddress::v4(127, 0, 0, 1), 17700};
const Endpoint kRest{IpAddress::v4(127, 0, 0, 1), 17780};
constexpr std::size_t kMembers = 10;  // of the flow that is edited

int prepare(const std::string& dir, std::size_t count) {
  auto text =
      begin_routes(dir, kServer, "  rest: {listen: \"" + kRest.to_string() + "\"}\n", count);
  if (text.empty()) return 1;
  text += "  edited: {protocol: udp, port: 20000, mesh: [";
  for (std::size_t n = 0; n < kMembers; ++n) text += (n > 0 ? ", " : "") + id_of(n);
  text += "]}\n";
  for (std::size_t n = 0; n + 1 < count; n += 2) {
    text += "  f" + std::to_string(n) + ": {protocol: udp, port: " + std::to_string(21000 + n) +
            ", between: [" + id_of(n) + ", " + id_of(n + 1) + "]}\n";
  }
  std::ofstream(dir + "/routes.yaml") << text;
  return 0;
}

bool all_on(const Crowd& crowd, std::uint16_t port) {
  return std::all_of(
      crowd.members.begin(), crowd.members.begin() + kMembers, [port](const auto& member) {
        return std::any_of(member->flows.begin(), member->flows.end(), [port](const auto& flow) {
          return flow.name == "edited" && flow.at == port;
        });
      });
}

/// Milliseconds until all members of the flow have the new port.
double one_edit(Crowd& crowd, std::uint16_t port) {
  const auto start = std::chrono::steady_clock::now();
  std::thread caller([port] {
    const auto answer =
        http_request(kRest, "PATCH", "/v1/flows/edited",
                     std::string("{\"port\":").append(std::to_string(port)).append("}"));
    const auto* got = std::get_if<HttpAnswer>(&answer);
    if (got == nullptr || got->status != 200) std::abort();
  });
  while (!all_on(crowd, port)) crowd.turn();
  const auto took = std::chrono::steady_clock::now() - start;
  caller.join();
  return std::chrono::duration<double, std::milli>(took).count();
}

int edit(const std::string& dir, std::size_t count, std::size_t edits) {
  Crowd crowd(dir, count, kServer);
  crowd.connect();
  while (!all_on(crowd, 20000)) crowd.turn();
  std::vector<double> took;
  for (std::size_t n = 0; n < edits; ++n) {
    took.push_back(one_edit(crowd, static_cast<std::uint16_t>(20001 + n)));
  }
  std::sort(took.begin(), took.end());
  std::printf("{\"clients\":%zu,\"edits\":%zu,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f}\n",
              count, edits, took[took.size() / 2], took[(took.size() * 99 + 99) / 100 - 1],
              took.back());
  return 0;
}

}  // namespace
}  // namespace wormhole

int main(int argc, char** argv) {
  wormhole::crypto_init();
  const std::string what = argc > 3 ? argv[1] : "";
  if (what == "prepare") return wormhole::prepare(argv[2], std::strtoul(argv[3], nullptr, 10));
  if (what == "edit" && argc > 4) {
    return wormhole::edit(argv[2], std::strtoul(argv[3], nullptr, 10),
                          std::strtoul(argv[4], nullptr, 10));
  }
  std::fprintf(stderr, "crowd_edits prepare DIR N | crowd_edits edit DIR N EDITS\n");
  return 2;
}
