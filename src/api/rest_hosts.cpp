// Where REST listens and by which names: decisions from routes.yaml.
#include "wormhole/api/rest_api.hpp"

namespace wormhole {

std::vector<std::string> rest_hosts(const ServerSettings& server) {
  std::vector<std::string> hosts = server.rest.hosts;
  if (!server.name.empty()) hosts.push_back(server.name);
  const auto add = [&hosts](const IpAddress& address) {
    if (!address.is_unspecified()) hosts.push_back(address.to_string());
  };
  add(server.rest.listen.address);
  for (const ServerAddress& address : server.addresses) {
    add(address.public_address);
    add(address.bind);
  }
  return hosts;
}

bool is_open_without_tokens(const RestSettings& rest) { return rest.listen.address.is_loopback(); }

Result<void> check_rest_listen(const RestSettings& rest, const TokenList& tokens) {
  if (is_open_without_tokens(rest) || !tokens.empty()) return {};
  return Error{"server.rest.listen is " + rest.listen.to_string() +
               ", which other machines may reach, and nobody has a token yet: make one with "
               "'wormhole token add NAME --scope edit -c routes.yaml', or listen on 127.0.0.1"};
}

}  // namespace wormhole
