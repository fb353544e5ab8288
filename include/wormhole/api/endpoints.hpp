// What is served where: the client's local API and the server's control socket.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "wormhole/api/http_feed.hpp"
#include "wormhole/api/http_server.hpp"
#include "wormhole/api/token_keeper.hpp"
#include "wormhole/client/status.hpp"
#include "wormhole/server/server.hpp"
#include "wormhole/shell/server_runner.hpp"

namespace wormhole {

/// The client's API at BIND:7781, TCP. 7781 follows the server's REST port, 7780.
inline constexpr std::uint16_t kClientApiPort = 7781;
/// Nothing there takes a body, and 64 callers must cost less than 1 MiB.
HttpLimits client_api_limits();
/// What the API may do with a client.
struct ClientControl {
  std::function<ClientStatus()> status;
  using OnAnswer = std::function<void(const std::optional<std::string>& error)>;
  std::function<void(const MembershipChange&, OnAnswer)> change_membership;
  using OnNatCheck = std::function<void(const NatCheckReport&)>;
  /// Calls back within 5 s; false when too many wait already.
  std::function<bool(OnNatCheck)> check_nat{};
  /// What is told of links, as event_text; outlives the server. Null: there is no such path.
  HttpFeed* events = nullptr;
};
/// GET /v1/status → status_json; GET /v1/congestion → congestion_json; GET /v1/congestion/events →
/// server-sent events, 503 when too many listen; POST /v1/join and /v1/leave
/// {"flow":"video","side":"to"} → 204, or 409 with why not; POST /v1/netcheck → netcheck_json after
/// a fresh check, or 503 when too many wait for one.
HttpHandler client_api(ClientControl control);

/// The control socket in the server's state directory.
std::string control_socket_path(const std::string& state_dir);

/// What the control socket may do with the server.
struct ServerControl {
  std::function<ServerStatus()> status;
  using OnCode = std::function<void(Result<std::string>)>;
  /// Makes a code for `id`, then calls back on the io_context's thread.
  std::function<void(const std::string& id, std::uint64_t valid_s, OnCode)> invite;
  std::function<void(bool confirmed, ServerRunner::OnReload)> reload;
};
/// GET /v1/status → status_json; POST /v1/invites {"id":"drone3","valid_s":604800} → 201
/// {"code":"…"}. GET /v1/tokens → {"tokens":[{"name","scope","created_s"}]}; POST /v1/tokens
/// {"name":"ci","scope":"edit"} → 201 {"token":"…"}; DELETE /v1/tokens/NAME → 204.
/// POST /v1/reload {"confirm":true} → {"result":"in force","lines":[…]}, or "unchanged", "refused",
/// "held".
HttpHandler server_control(ServerControl control, TokenKeeper& tokens);

/// Longest and usual life of an invite code: a year covers a vehicle in storage, a week a parcel.
inline constexpr std::uint64_t kMaxInviteSeconds = 366 * 86'400;
inline constexpr std::uint64_t kDefaultInviteSeconds = 7 * 86'400;

}  // namespace wormhole
