// Options that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "wormhole/api/endpoints.hpp"
#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// Where a client is: its flow ports and its API.
struct BindOptions {
  std::string bind = "127.1.0.1";
  std::uint16_t api_port = kClientApiPort;
  Endpoint api() const { return {*IpAddress::parse(bind), api_port}; }
};
void add_bind_options(CLI::App& command, BindOptions& options);

/// For routes.yaml.
void add_config_option(CLI::App& command, std::string& path);
void add_state_dir_option(CLI::App& command, std::string& dir);
void add_server_option(CLI::App& command, std::string& server);
void add_log_level_option(CLI::App& command, std::string& level);

/// CLI11 validators: an empty string is yes, else the sentence that is shown.
std::string check_id(const std::string& text);
std::string check_loopback(const std::string& text);
std::string check_host_port(const std::string& text);

}  // namespace wormhole
