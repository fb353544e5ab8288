#include "shell/server_resolver.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace wormhole {
namespace {

/// As often as the core tries to connect.
constexpr std::chrono::seconds kRetryAfter{1};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

HostPort parse_host_port(std::string_view text, std::uint16_t default_port) {
  const auto whole = HostPort{std::string(text), default_port};
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return whole;
    const auto host = std::string(text.substr(1, close - 1));
    const auto rest = text.substr(close + 1);
    if (rest.empty()) return {host, default_port};
    const auto port = rest.front() == ':' ? parse_port(rest.substr(1)) : std::nullopt;
    return port ? HostPort{host, *port} : whole;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return whole;  // a name, or an IPv6 address without port
  }
  const auto port = parse_port(text.substr(colon + 1));
  return port ? HostPort{std::string(text.substr(0, colon)), *port} : whole;
}

ServerResolver::ServerResolver(boost::asio::io_context& io, HostPort name,
                               std::vector<Endpoint> known, OnServers on_servers)
    : name_(std::move(name)),
      known_(std::move(known)),
      on_servers_(std::move(on_servers)),
      lookup_(io),
      retry_(io) {
  if (const auto address = IpAddress::parse(name_.host)) {
    known_.insert(known_.begin(), Endpoint{*address, name_.port});
    name_.host.clear();
  }
}

void ServerResolver::resolve() {
  if (!std::exchange(started_, true) && !known_.empty()) on_servers_(known_);
  if (closed_ || name_.host.empty()) return;
  lookup_.start(name_.host, name_.port,
                [this](const NameLookup::Answer& answer) { on_answer(answer); });
}

void ServerResolver::close() {
  closed_ = true;
  lookup_.close();
  retry_.cancel();
}

void ServerResolver::on_answer(const NameLookup::Answer& answer) {
  if (answer.endpoints.empty()) {
    if (std::exchange(said_, answer.error) != answer.error) {
      spdlog::warn("cannot resolve the server's name {}: {}; {}", name_.host, answer.error,
                   known_.empty() ? "trying again every second"
                                  : "using the addresses known from the enrolment code");
    }
    if (!known_.empty()) return;
    retry_.expires_after(kRetryAfter);
    retry_.async_wait([this](const boost::system::error_code& error) {
      if (!error) resolve();
    });
    return;
  }
  said_.clear();
  std::vector<Endpoint> servers;
  const auto add = [&servers](const Endpoint& endpoint) {
    if (endpoint.is_set() && std::ranges::find(servers, endpoint) == servers.end()) {
      servers.push_back(endpoint);
    }
  };
  std::ranges::for_each(answer.endpoints, add);
  std::ranges::for_each(known_, add);
  if (!servers.empty()) on_servers_(std::move(servers));
}

}  // namespace wormhole
