#include "wormhole/config/routes_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "config/impair_profiles.hpp"
#include "config/routes_tree.hpp"
#include "config/sections.hpp"
#include "config/text_check.hpp"
#include "wormhole/config/routes_document.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 7> kSections{"server", "p2p",         "defaults", "clients",
                                                    "groups", "impairments", "flows"};

ConfigError unreadable(const std::string& path) {
  return {path, 0, 0, "",
          std::string("can't be read: ") + std::strerror(errno) +
              "; expected a file that this user may read"};
}

}  // namespace

std::optional<YamlNode> read_tree(std::string_view text, ErrorList& errors) {
  if (auto problem = check_text(text)) {
    errors.add(problem->place, "", std::move(problem->message));
    return std::nullopt;
  }
  auto root = parse_yaml(text, errors);
  if (root && root->kind == YamlNode::Kind::kNull) {
    errors.add({1, 1}, "", "the file is empty; expected server, clients and flows");
    return std::nullopt;
  }
  return root;
}

std::optional<Network> read_network(const YamlNode& root, ErrorList& errors) {
  Network network;
  MapReader file({&root, ""}, kSections, errors);
  const auto server = file.require("server", "a map with addresses");
  const auto clients = file.require("clients", "a map of clients, or {} for none");
  const auto groups = file.find("groups");
  const auto p2p = file.find("p2p");
  const auto defaults = file.find("defaults");
  const auto impairments = file.find("impairments");
  const auto flows = file.require("flows", "a map of flows, or {} for none");
  if (server) network.server = read_server(*server, errors);
  if (p2p) network.p2p = read_p2p(*p2p, errors);
  if (defaults) network.defaults = read_defaults(*defaults, errors);
  if (clients) network.clients = read_clients(*clients, errors);
  Population population(network.clients);
  if (groups) network.groups = read_groups(*groups, population, errors);
  ImpairProfiles profiles(errors.file());
  if (impairments) profiles.read_section(*impairments, errors);
  if (flows) network.flows = read_flows(*flows, population, profiles, errors);
  if (!errors.empty()) return std::nullopt;
  return network;
}

ConfigResult parse_routes(std::string_view text, const std::string& file) {
  ErrorList errors(file);
  const auto root = read_tree(text, errors);
  auto network = root ? read_network(*root, errors) : std::nullopt;
  if (!network) return errors.take();
  return std::move(*network);
}

std::variant<std::string, ConfigError> read_routes_text(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) return unreadable(path);
  std::string text;
  std::array<char, 65536> piece{};
  // One piece more than the limit is enough for parse_routes to refuse the file.
  while (text.size() <= kMaxConfigBytes) {
    const auto got = std::fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece.data(), got);
    if (got < piece.size()) break;
  }
  if (std::ferror(file.get()) != 0) return unreadable(path);
  return text;
}

ConfigResult load_routes(const std::string& path) {
  auto text = read_routes_text(path);
  if (auto* error = std::get_if<ConfigError>(&text)) return std::vector{std::move(*error)};
  return parse_routes(std::get<std::string>(text), path);
}

}  // namespace wormhole
