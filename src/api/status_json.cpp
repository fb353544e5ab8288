#include <cmath>
#include <optional>

#include "json_text.hpp"
#include "nat_json.hpp"
#include "wormhole/api/status.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

json::value milliseconds(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return rounded(std::chrono::duration<double, std::milli>(*duration).count(), 1000);
}

std::int64_t seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

json::value address(const Endpoint& endpoint) {
  if (!endpoint.is_set()) return nullptr;
  return json::value(endpoint.to_string());
}

json::string path_name(PathKind path) {
  switch (path) {
    case PathKind::kNone:
      return "none";
    case PathKind::kRelay:
      return "relay";
    case PathKind::kDirect:
      return "direct";
  }
  return "none";
}

json::string app_name(AppState app) {
  switch (app) {
    case AppState::kUnknown:
      return "unknown";
    case AppState::kListening:
      return "listening";
    case AppState::kNotListening:
      return "not listening";
  }
  return "unknown";
}

json::object drops_json(const std::vector<DropCount>& drops) {
  json::object out;
  for (const DropCount& drop : drops) out[drop.cause] = drop.count;
  return out;
}

json::object server_json(const ServerLinkStatus& server) {
  return {{"connected", server.connected},
          {"address", address(server.address)},
          {"transport", server.transport},
          {"rtt_ms", milliseconds(server.rtt)},
          {"observed", address(server.observed.value_or(Endpoint{}))},
          {"reason", server.reason}};
}

json::object peer_json(const PeerStatus& peer) {
  return {{"id", peer.id},
          {"online", peer.online},
          {"path", path_name(peer.path)},
          {"strategy", peer.strategy},
          {"since_s", seconds(peer.since)},
          {"reason", peer.reason},
          {"remote", address(peer.remote.value_or(Endpoint{}))},
          {"time_to_direct_ms", milliseconds(peer.time_to_direct)},
          {"campaigns", peer.campaigns},
          {"rtt_ms", milliseconds(peer.rtt)},
          {"loss", rounded(peer.loss, 10'000)}};
}

json::object traffic_json(std::uint64_t packets, std::uint64_t bytes, double bps) {
  return {{"packets", packets}, {"bytes", bytes}, {"bps", std::llround(bps)}};
}

json::object flow_json(const FlowStatus& flow) {
  json::object peer_ports;
  for (const auto& [id, at] : flow.peer_ports) peer_ports[id] = at.to_string();
  return {
      {"name", flow.name},
      {"protocol", flow.protocol == Protocol::kTcp ? "tcp" : "udp"},
      {"port", flow.port},
      {"direction", flow.direction},
      {"peers", json::array(flow.peers.begin(), flow.peers.end())},
      {"tx", traffic_json(flow.tx_packets, flow.tx_bytes, flow.tx_bps)},
      {"rx", traffic_json(flow.rx_packets, flow.rx_bytes, flow.rx_bps)},
      {"app", app_name(flow.app)},
      {"port_open", flow.port_open},
      {"port_error", flow.port_error},
      {"peer_ports", std::move(peer_ports)},
      {"relay_port", flow.relay_port == 0 ? json::value(nullptr) : json::value(flow.relay_port)},
      {"relay_hint", flow.relay_hint},
      {"drops", drops_json(flow.drops)}};
}

/// By hand, because 10,000 rows made of JSON values keep the loop for 30 ms, and this for 3. An ID
/// is a valid name, and an address has nothing to escape either.
void append_row(std::string& out, const ServerStatus::ClientRow& row) {
  out += R"({"id":")" + row.id + R"(","online":)" + (row.online ? "true" : "false");
  out += R"(,"address":)";
  out += row.address.is_set() ? '"' + row.address.to_string() + '"' : "null";
  out += R"(,"since_s":)" + std::to_string(seconds(row.since));
  out += R"(,"relayed":{"packets":)" + std::to_string(row.relayed_packets);
  out += R"(,"bytes":)" + std::to_string(row.relayed_bytes) + "}}";
}

json::array side_names(const std::vector<Side>& sides) {
  json::array names;
  for (const auto side : sides) names.push_back(json::string(side_name(side)));
  return names;
}

json::object offer_json(const OfferStatus& offer) {
  return {{"flow", offer.flow},
          {"protocol", offer.protocol == Protocol::kTcp ? "tcp" : "udp"},
          {"port", offer.port},
          {"sides", side_names(offer.sides)},
          {"joined", side_names(offer.joined)}};
}

json::object config_json(const ConfigStatus& config) {
  return {{"file", config.file},
          {"revision", config.revision},
          {"since_s", seconds(config.since)},
          {"errors", json::array(config.errors.begin(), config.errors.end())},
          {"held", config.held}};
}

}  // namespace

std::string status_json(const ClientStatus& status) {
  json::array peers;
  for (const PeerStatus& peer : status.peers) peers.push_back(peer_json(peer));
  json::array flows;
  for (const FlowStatus& flow : status.flows) flows.push_back(flow_json(flow));
  json::array offers;
  for (const OfferStatus& offer : status.offers) offers.push_back(offer_json(offer));
  return to_json_text(json::object{{"id", status.id},
                                   {"server", server_json(status.server)},
                                   {"peers", std::move(peers)},
                                   {"flows", std::move(flows)},
                                   {"offers", std::move(offers)},
                                   {"nat", nat_object(status.nat)},
                                   {"drops", drops_json(status.drops)}});
}

std::string status_json(const ServerStatus::ClientRow& row) {
  std::string out;
  append_row(out, row);
  return out;
}

std::string status_json(const ServerStatus& status) {
  constexpr std::size_t kRowBytes = 128;  // an average row and some room
  std::string out = R"({"clients":[)";
  out.reserve(status.clients.size() * kRowBytes);
  for (const ServerStatus::ClientRow& row : status.clients) {
    if (out.back() != '[') out += ',';
    append_row(out, row);
  }
  json::object counters;
  for (const auto& [cause, count] : status.counters) counters[cause] = count;
  const json::object rest{{"counters", std::move(counters)},
                          {"config", config_json(status.config)},
                          {"loop",
                           {{"latency_ms_p99", milliseconds(status.loop.p99)},
                            {"latency_ms_max", milliseconds(status.loop.most)}}}};
  return out + "]," + to_json_text(rest).substr(1);
}

}  // namespace wormhole
