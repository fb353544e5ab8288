#include "options.hpp"

#include <algorithm>
#include <charconv>

#include "say.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

namespace {

std::string check_level(const std::string& text) {
  for (const char* level : kLogLevels) {
    if (text == level) return "";
  }
  return "'" + text + "' is not a log level: debug, info, warning or error";
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool is_host(std::string_view text) {
  const auto ok = [](char c) { return c == '.' || c == '-' || c == '_' || is_valid_name({&c, 1}); };
  return !text.empty() && std::all_of(text.begin(), text.end(), ok);
}

}  // namespace

std::string check_id(const std::string& text) {
  if (is_valid_name(text)) return "";
  return "'" + text + "' is not an ID: 1 to 63 of a-z A-Z 0-9 . _ -, first a letter or digit";
}

std::string check_loopback(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (address && address->is_loopback()) return "";
  return "'" + text + "' is not a loopback address: flows are open to this machine only, so take " +
         "one of 127.0.0.0/8, such as 127.1.0.2";
}

std::string check_host_port(const std::string& text) {
  if (IpAddress::parse(text) || Endpoint::parse(text)) return "";
  const std::size_t colon = text.find(':');
  const std::string_view all = text;
  if (is_host(all.substr(0, colon)) && (colon == text.npos || is_port(all.substr(colon + 1)))) {
    return "";
  }
  return "'" + text + "' is not HOST or HOST:PORT, such as relay.example.org:7700";
}

void add_bind_options(CLI::App& command, BindOptions& options) {
  command
      .add_option("--bind", options.bind,
                  "the loopback address of the client; a second client on this machine needs "
                  "another one (default 127.1.0.1)")
      ->check(check_loopback)
      ->type_name("ADDRESS");
  command.add_option("--api-port", options.api_port, "the TCP port of its API (default 7781)")
      ->check(CLI::Range(1, 65535))
      ->type_name("PORT");
}

void add_config_option(CLI::App& command, std::string& path) {
  command.add_option("-c,--config", path, "the routes.yaml")->required()->type_name("FILE");
}

void add_state_dir_option(CLI::App& command, std::string& dir) {
  command
      .add_option("--state-dir", dir,
                  "where identity and pins are kept (default $STATE_DIRECTORY, else "
                  "/var/lib/wormhole-client/ID for root, else ~/.local/state/wormhole/ID)")
      ->type_name("DIR");
}

void add_server_option(CLI::App& command, std::string& server) {
  command
      .add_option("--server", server,
                  "the server's name or address, instead of those in the invite code")
      ->check(check_host_port)
      ->type_name("HOST[:PORT]");
}

void add_log_level_option(CLI::App& command, std::string& level) {
  command.add_option("--log-level", level, "debug, info (default), warning or error")
      ->check(check_level)
      ->type_name("LEVEL");
}

}  // namespace wormhole
