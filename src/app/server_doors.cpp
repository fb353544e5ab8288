#include "server_doors.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "invite_code.hpp"
#include "wormhole/api/endpoints.hpp"
#include "wormhole/api/rest_api.hpp"

namespace wormhole {

namespace {

ServerControl control_of(ServerRunner& runner, const NetworkIdentity& identity) {
  ServerControl control;
  control.status = [&runner] { return runner.status(); };
  control.invite = [&runner, identity](const std::string& id, std::uint64_t valid_s,
                                       const ServerControl::OnCode& done) {
    const ClientEntry* client = runner.network().find_client(id);
    if (client != nullptr && client->key) {
      const InviteCode code = descriptor_for(id, *client->key, runner.network(), identity);
      return done({boost::system::in_place_value, encode_invite(code)});
    }
    runner.invite(id, valid_s, [done](const Result<InviteCode>& code) {
      if (!code) return done(code.error());
      done({boost::system::in_place_value, encode_invite(*code)});
    });
  };
  control.reload = [&runner](bool confirmed, ServerRunner::OnReload done) {
    runner.reload(confirmed, std::move(done));
  };
  return control;
}

RoutesAdmin admin_of(ServerRunner& runner) {
  return {[&runner] { return runner.routes(); }, [&runner] { return runner.status(); },
          [&runner](RoutesEdit edit, RoutesAdmin::Condition condition, RoutesAdmin::OnEdit done) {
            runner.edit(std::move(edit), std::move(condition), std::move(done));
          },
          [&runner](const std::string& id, bool history) { return runner.links(id, history); }};
}

RestCallers callers_of(const TokenKeeper& tokens, const RestSettings& rest) {
  return {[&tokens]() -> const TokenList& { return tokens.tokens(); },
          is_open_without_tokens(rest)};
}

}  // namespace

ServerDoors::ServerDoors(boost::asio::io_context& io, ServerRunner& runner,
                         const NetworkIdentity& identity, TokenList tokens)
    : runner_(runner),
      tokens_(io, runner.network().server.state_dir, std::move(tokens)),
      control_(io, server_control(control_of(runner, identity), tokens_)),
      rest_(io, rest_api(admin_of(runner), callers_of(tokens_, runner.network().server.rest)), {},
            rest_hosts(runner.network().server)) {}

void ServerDoors::open_control() {
  const std::string path = control_socket_path(runner_.network().server.state_dir);
  if (const auto listening = control_.listen_unix(path); !listening) {
    return spdlog::warn("no control socket, so 'wormhole invite' needs the server stopped: {}",
                        listening.error().message);
  }
  spdlog::info("control socket at {}", path);
}

Result<void> ServerDoors::open() {
  open_control();
  const RestSettings& rest = runner_.network().server.rest;
  if (!rest.enabled) return {};
  if (const auto allowed = check_rest_listen(rest, tokens_.tokens()); !allowed) {
    return allowed.error();
  }
  if (const auto listening = rest_.listen(rest.listen); !listening) {
    spdlog::warn("no REST API: {}; another port: server.rest.listen", listening.error().message);
    return {};
  }
  spdlog::info("REST API at http://{}/v1", rest_.endpoint().to_string());
  return {};
}

}  // namespace wormhole
