#include <algorithm>
#include <array>
#include <optional>

#include "config/key_path.hpp"
#include "config/sections.hpp"
#include "config/server_services.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 7> kServerKeys{
    "name", "addresses", "port", "probe_port", "relay", "rest", "state_dir"};
constexpr std::array<std::string_view, 2> kAddressKeys{"public", "bind"};
constexpr auto kAddressList = "a list of the server's public IP addresses";

/// An invite code carries at most so many (docs/protocol.md 1).
constexpr std::size_t kMaxAddresses = 8;

std::string read_name(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "a DNS name like relay.example.org";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return "";
  if (IpAddress::parse(*text)) {
    add_error(errors, value, "is an IP address; expected a DNS name, addresses go under addresses");
  } else if (!is_host_name(*text)) {
    add_error(errors, value, quoted(*text) + " is not a DNS name; expected " + kExpected);
  }
  return *text;
}

std::string read_state_dir(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "an absolute path like /var/lib/wormhole";
  const auto text = read_text(value, kExpected, errors);
  if (text && text->front() != '/') {
    add_error(errors, value,
              quoted(*text) + " depends on where the server is started; expected " + kExpected);
  }
  return text.value_or("");
}

std::optional<IpAddress> read_address(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "an IP address like 198.51.100.10";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return std::nullopt;
  const auto address = IpAddress::parse(*text);
  if (!address) {
    add_error(errors, value, quoted(*text) + " is not an IP address; expected " + kExpected);
  }
  return address;
}

std::optional<IpAddress> read_public_address(const Value& value, ErrorList& errors) {
  const auto address = read_address(value, errors);
  if (!address || !address->is_unspecified()) return address;
  const auto text = address->to_string();
  add_error(
      errors, value,
      text +
          " is no address that clients can reach; expected a public one, {public: ADDRESS, bind: " +
          text + "} binds all");
  return std::nullopt;
}

std::optional<ServerAddress> read_server_address(const Value& value, ErrorList& errors) {
  if (value.is(YamlNode::Kind::kScalar)) {
    const auto address = read_public_address(value, errors);
    return address ? std::optional(ServerAddress{*address, *address}) : std::nullopt;
  }
  if (!value.is(YamlNode::Kind::kMap)) {
    add_error(
        errors, value,
        what_it_is(*value.node) + "; expected an IP address or {public: ADDRESS, bind: ADDRESS}");
    return std::nullopt;
  }
  MapReader map(value, kAddressKeys, errors);
  const auto public_value = map.require("public", "the address that clients can reach");
  const auto bind_value = map.require("bind", "this machine's own address behind it");
  if (!public_value || !bind_value) return std::nullopt;
  const auto public_address = read_public_address(*public_value, errors);
  const auto bind = read_address(*bind_value, errors);
  if (!public_address || !bind) return std::nullopt;
  if (public_address->is_v4() != bind->is_v4()) {
    add_error(errors, *bind_value, "is of another IP version than public; expected the same");
  }
  return ServerAddress{*public_address, *bind};
}

/// True when sockets on both can't be told apart or can't both be bound to one port.
bool binds_clash(const IpAddress& a, const IpAddress& b) {
  return a == b || (a.is_v4() == b.is_v4() && (a.is_unspecified() || b.is_unspecified()));
}

/// Why `address` can't stand beside `earlier`; empty when it can.
std::string clash(const ServerAddress& address, const ServerAddress& earlier) {
  if (address.public_address == earlier.public_address) {
    return address.public_address.to_string() + " is in the list already; expected it once";
  }
  if (!binds_clash(address.bind, earlier.bind)) return "";
  return "binds " + address.bind.to_string() + ", and an address before it binds " +
         earlier.bind.to_string() + " on the same port; expected a bind address of its own";
}

std::vector<ServerAddress> read_addresses(const Value& value, ErrorList& errors) {
  std::vector<ServerAddress> addresses;
  const auto items = list_items(value, kAddressList, errors);
  if (items.size() > kMaxAddresses) {
    add_error(errors, items[kMaxAddresses],
              "a ninth address; expected at most 8, which is what an invite code carries");
    return addresses;
  }
  for (const auto& item : items) {
    const auto address = read_server_address(item, errors);
    if (!address) continue;
    for (const auto& earlier : addresses) {
      const auto why = clash(*address, earlier);
      if (why.empty()) continue;
      add_error(errors, item, why);
      break;
    }
    addresses.push_back(*address);
  }
  return addresses;
}

/// Beside the port unless the file says otherwise; nobody has a port above 65535.
std::uint16_t read_probe_port(const std::optional<Value>& value, std::uint16_t port,
                              ErrorList& errors) {
  const auto usual = static_cast<std::uint16_t>(port == 65535 ? port - 1 : port + 1);
  if (!value) return usual;
  const auto probe_port = read_port(*value, errors);
  if (probe_port == port) {
    add_error(errors, *value, "is the server's own port; expected another one");
  }
  return probe_port.value_or(usual);
}

}  // namespace

ServerSettings read_server(const Value& section, ErrorList& errors) {
  ServerSettings settings;
  MapReader map(section, kServerKeys, errors);
  if (const auto name = map.find("name")) settings.name = read_name(*name, errors);
  if (const auto list = map.require("addresses", kAddressList)) {
    settings.addresses = read_addresses(*list, errors);
  }
  if (const auto port = map.find("port")) {
    settings.port = read_port(*port, errors).value_or(settings.port);
  }
  settings.probe_port = read_probe_port(map.find("probe_port"), settings.port, errors);
  if (const auto relay = map.find("relay")) {
    settings.relay_ports = read_relay(*relay, settings.port, settings.probe_port, errors);
  }
  if (const auto rest = map.find("rest")) settings.rest = read_rest(*rest, errors);
  if (const auto dir = map.find("state_dir")) settings.state_dir = read_state_dir(*dir, errors);
  return settings;
}

}  // namespace wormhole
