#include <algorithm>
#include <array>
#include <optional>

#include "config/key_path.hpp"
#include "config/server_services.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 1> kRelayKeys{"ports"};
constexpr std::array<std::string_view, 2> kRangeKeys{"from", "to"};
constexpr std::array<std::string_view, 2> kRestKeys{"listen", "hosts"};
/// RFC 1035 2.3.4, without the root's length byte and the first label's.
constexpr std::size_t kMaxHostName = 253;
/// Below are the ports of other services of the host (RFC 6335 6).
constexpr unsigned kFirstUserPort = 1024;

std::optional<unsigned> to_number(std::string_view text) {
  unsigned number = 0;
  if (text.empty() || text.size() > 5 || text.front() == '0') return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

PortRange read_range(const Value& value, PortRange usual, ErrorList& errors) {
  constexpr auto kExpected = "a range of ports from 1024 to 65535 like 2000-2999";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return usual;
  const auto dash = std::min(text->find('-'), text->size());
  const auto first = to_number(std::string_view(*text).substr(0, dash));
  const auto last =
      dash < text->size() ? to_number(std::string_view(*text).substr(dash + 1)) : std::nullopt;
  if (!first || !last || *first > *last || *first < kFirstUserPort || *last > 65535) {
    add_error(errors, value, quoted(*text) + " is not a range; expected " + kExpected);
    return usual;
  }
  return {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

bool holds(const PortRange& range, std::uint16_t port) {
  return range.first <= port && port <= range.last;
}

std::string to_text(const PortRange& range) {
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

void check_ranges(const Value& at, const RelayPorts& ports, std::uint16_t port,
                  std::uint16_t probe_port, ErrorList& errors) {
  if (ports.from.first <= ports.to.last && ports.to.first <= ports.from.last) {
    add_error(errors, at,
              "from is " + to_text(ports.from) + " and to is " + to_text(ports.to) +
                  "; expected ranges that have no port in common");
  }
  for (const auto& range : {ports.from, ports.to}) {
    for (const auto own : {port, probe_port}) {
      if (!holds(range, own)) continue;
      add_error(errors, at,
                to_text(range) + " holds " + std::to_string(own) +
                    (own == port ? ", the server's own port" : ", the server's probe port") +
                    "; expected ranges without it");
    }
  }
}

std::vector<std::string> read_hosts(const Value& value, ErrorList& errors) {
  std::vector<std::string> hosts;
  constexpr auto kExpected = "a DNS name or an IP address";
  for (const auto& item : list_items(value, "a list of names that callers may use", errors)) {
    const auto text = read_text(item, kExpected, errors);
    if (!text) continue;
    if (!is_host_name(*text) && !IpAddress::parse(*text)) {
      add_error(errors, item, quoted(*text) + " is no host name; expected " + kExpected);
    }
    hosts.push_back(*text);
  }
  return hosts;
}

}  // namespace

bool is_host_name(std::string_view text) {
  if (text.size() > kMaxHostName) return false;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('.', start), text.size());
    const auto label = text.substr(start, end - start);
    const bool plain = label.find('_') == std::string_view::npos && label.find('.') == label.npos;
    if (!is_valid_name(label) || !plain || label.back() == '-') return false;
    start = end + 1;
  }
  return true;
}

RelayPorts read_relay(const Value& value, std::uint16_t port, std::uint16_t probe_port,
                      ErrorList& errors) {
  RelayPorts ports;
  MapReader map(value, kRelayKeys, errors);
  const auto entry = map.find("ports");
  if (!entry) return ports;
  constexpr auto kExpected = "{from: 2000-2999, to: 3000-3999} or shared";
  if (!entry->is(YamlNode::Kind::kMap)) {
    const auto text = read_text(*entry, kExpected, errors);
    ports.shared = text == "shared";
    if (text && !ports.shared) {
      add_error(errors, *entry, quoted(*text) + " is not known; expected " + kExpected);
    }
    return ports;
  }
  MapReader ranges(*entry, kRangeKeys, errors);
  if (const auto from = ranges.find("from")) ports.from = read_range(*from, ports.from, errors);
  if (const auto to = ranges.find("to")) ports.to = read_range(*to, ports.to, errors);
  check_ranges(*entry, ports, port, probe_port, errors);
  return ports;
}

RestSettings read_rest(const Value& value, ErrorList& errors) {
  RestSettings rest;
  if (value.is(YamlNode::Kind::kScalar) && value.text() == "none") {
    rest.enabled = false;
    return rest;
  }
  MapReader map(value, kRestKeys, errors);
  if (const auto listen = map.find("listen")) {
    constexpr auto kExpected = "an address and port like 127.0.0.1:7780";
    const auto text = read_text(*listen, kExpected, errors);
    const auto endpoint = text ? Endpoint::parse(*text) : std::nullopt;
    if (endpoint && endpoint->is_set()) {
      rest.listen = *endpoint;
    } else if (text) {
      add_error(errors, *listen, quoted(*text) + " is no address; expected " + kExpected);
    }
  }
  if (const auto hosts = map.find("hosts")) rest.hosts = read_hosts(*hosts, errors);
  return rest;
}

}  // namespace wormhole
