// The server's REST API: routes.yaml and the live state for programs (docs/rest.md).
#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wormhole/api/http_server.hpp"
#include "wormhole/config/routes_document.hpp"
#include "wormhole/server/server.hpp"
#include "wormhole/state/tokens.hpp"

namespace wormhole {

/// What the REST API may do with a server.
struct RoutesAdmin {
  /// The document in force, never null.
  std::function<std::shared_ptr<const RoutesDocument>()> routes;
  std::function<ServerStatus()> status;

  /// Whether an edit may still be made, on the document as it is on disk then; may be called on
  /// another thread. False makes the edit kStale.
  using Condition = std::function<bool(const RoutesDocument&)>;
  using OnEdit = std::function<void(
      boost::system::result<std::shared_ptr<const RoutesDocument>, EditRefusal>)>;
  /// Edits the file, puts it in force, then calls back on the io_context's thread with what is in
  /// force. May call back at once.
  std::function<void(RoutesEdit, Condition, OnEdit)> edit;
  /// What clients said of their links; see Server::links.
  std::function<std::vector<ClientLinks>(const std::string& id, bool history)> links{};
};

struct RestCallers {
  /// The tokens in force; asked for each request.
  std::function<const TokenList&()> tokens;
  /// Without any token, everybody who reaches the port may do everything. For loopback only.
  bool open_without_tokens = false;
};

/// Everything of /v1 on the server's REST port. Answers that need an edit come later.
HttpHandler rest_api(RoutesAdmin admin, RestCallers callers);

/// The names by which callers may mean this server: for HttpServer's `hosts`.
std::vector<std::string> rest_hosts(const ServerSettings& server);

/// Whether REST may listen there: beyond loopback only with tokens. The error says the way out.
Result<void> check_rest_listen(const RestSettings& rest, const TokenList& tokens);
/// What `callers.open_without_tokens` is for these settings.
bool is_open_without_tokens(const RestSettings& rest);

}  // namespace wormhole
