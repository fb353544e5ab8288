// The fixed cast of the harnesses: a server, drone3 (number 1) and gcs4 (number 2) with the flows
// mavlink (1, both ways) and video (2, from drone3 to gcs4), and an ID that is yet to enrol.
#pragma once

#include "wormhole/base/result.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole::fuzz {

struct Parties {
  KeyPair server;
  KeyPair drone;
  KeyPair gcs;
  SigningKey signing;
  NetworkIdentity identity;
  /// "drone9" may enrol with this: its statement is genuine.
  KeyPair stranger;
  KeyBinding enrolment;
  KeyBinding drone_binding;  ///< genuine, as gcs_binding
  KeyBinding gcs_binding;
};
/// Made once a process, always the same.
const Parties& parties();

inline constexpr ClientNo kDrone{1};
inline constexpr ClientNo kGcs{2};
inline constexpr FlowNo kMavlink{1};
inline constexpr FlowNo kVideo{2};
inline constexpr std::uint64_t kServerBoot = 77;
inline constexpr TimePoint kStart{1000s};

inline const Endpoint kServerAt{IpAddress::v4(198, 51, 100, 10), 7700};
inline const Endpoint kDroneAt{IpAddress::v4(203, 0, 113, 8), 1001};
inline const Endpoint kGcsAt{IpAddress::v4(203, 0, 113, 16), 1002};
inline const Endpoint kStrangerAt{IpAddress::v4(192, 0, 2, 66), 666};
inline const Endpoint kAppAt{IpAddress::v4(127, 0, 0, 1), 14551};

Network network();
Directory directory();
ServerConfig server_config();
ClientConfig client_config(const std::string& id, std::uint64_t boot_id);

/// Calls on_timeout until nothing is due at `now`; a core that never gets there is stuck in a loop.
template <typename Core, typename Out>
void settle(Core& core, TimePoint now, Out& out) {
  constexpr int kMost = 64;  // retries, pings and rekeys of a few peers, many times over
  for (int i = 0; core.next_deadline() <= now; ++i) {
    WH_ASSERT(i < kMost);
    core.on_timeout(now, out);
  }
}

/// Status can be taken at any time and says nothing impossible.
void check_status(const ClientStatus& status);
void check_status(const ServerStatus& status);

}  // namespace wormhole::fuzz
