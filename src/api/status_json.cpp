#include <cmath>
#include <optional>

#include "json_text.hpp"
#include "link_text.hpp"
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

json::value mtu_json(const std::optional<MtuStatus>& mtu) {
  if (!mtu) return nullptr;
  const auto sent = static_cast<double>(mtu->datagrams);
  const double share = mtu->datagrams == 0 ? 0 : static_cast<double>(mtu->fragmented) / sent;
  return json::object{{"ip", mtu->ip},
                      {"udp_payload", mtu->udp_payload},
                      {"searching", mtu->searching},
                      {"black_holes", mtu->black_holes},
                      {"datagrams", mtu->datagrams},
                      {"fragmented", mtu->fragmented},
                      {"fragmented_share", rounded(share, 10'000)}};
}

json::object peer_json(const PeerStatus& peer) {
  return {{"id", peer.id},
          {"online", peer.online},
          {"path", json::string(path_name(peer.path))},
          {"strategy", peer.strategy},
          {"since_s", seconds(peer.since)},
          {"reason", peer.reason},
          {"remote", address(peer.remote.value_or(Endpoint{}))},
          {"time_to_direct_ms", milliseconds(peer.time_to_direct)},
          {"campaigns", peer.campaigns},
          {"rtt_ms", milliseconds(peer.rtt)},
          {"loss", rounded(peer.loss, 10'000)},
          {"mtu", mtu_json(peer.mtu)}};
}

json::object traffic_json(std::uint64_t packets, std::uint64_t bytes, double bps) {
  return {{"packets", packets}, {"bytes", bytes}, {"bps", std::llround(bps)}};
}

json::object stream_peer_json(const StreamPeerStatus& peer) {
  return {{"peer", peer.peer},
          {"up", peer.up},
          {"streams", peer.streams},
          {"bytes_resent", peer.bytes_resent},
          {"window", peer.window},
          {"in_flight", peer.in_flight},
          {"rtt_ms", milliseconds(peer.rtt)}};
}

json::value tcp_json(const std::optional<TcpFlowStatus>& tcp) {
  if (!tcp) return nullptr;
  json::array peers;
  for (const auto& peer : tcp->peers) peers.push_back(stream_peer_json(peer));
  return json::object{
      {"open", tcp->open}, {"opened", tcp->opened},         {"refused", tcp->refused},
      {"cut", tcp->cut},   {"last_error", tcp->last_error}, {"peers", std::move(peers)}};
}

json::value spread_json(const std::optional<SpreadStatus>& spread) {
  if (!spread) return nullptr;
  return json::object{
      {"uploads", spread->uploads}, {"grouped", spread->grouped}, {"alone", spread->alone}};
}

json::object queue_json(const QueueStatus& queue) {
  return {
      {"packets", queue.packets}, {"bytes", queue.bytes}, {"delay_ms", milliseconds(queue.delay)}};
}

json::object uplink_json(const UplinkStatus& uplink) {
  return {{"shaping", uplink.shaping},
          {"rate_bps", std::llround(uplink.rate_bps)},
          {"backlog_bytes", uplink.backlog}};
}

json::value impair_json(const std::optional<ImpairStatus>& impair) {
  if (!impair) return nullptr;
  return json::object{{"profile", impair->profile},
                      {"offered", impair->offered},
                      {"lost", drops_json(impair->lost)},
                      {"delayed", impair->delayed},
                      {"mean_delay_ms", milliseconds(impair->mean_delay)},
                      {"duplicated", impair->duplicated},
                      {"reordered", impair->reordered},
                      {"corrupted", impair->corrupted},
                      {"held", impair->held}};
}

/// `front`: members before those of the state.
json::value state_json(const LinkState& state, std::string_view front = {}) {
  std::string text = "{";
  text += front;
  append_state(text, state);
  text += '}';
  return json::parse(text);
}

json::value link_json(const LinkStatus& link) {
  std::string front = "\"peer\":\"";
  front.append(link.peer).append("\",\"way\":\"").append(path_name(link.way)).append("\",");
  return state_json(link.state, front);
}

json::value hook_json(const std::optional<LinkOutletsStatus::Hook>& hook) {
  if (!hook) return nullptr;
  return json::object{{"command", hook->command},   {"runs", hook->runs},
                      {"failures", hook->failures}, {"kills", hook->kills},
                      {"skipped", hook->skipped},   {"outcome", hook->outcome}};
}

json::object outlets_json(const LinkOutletsStatus& outlets) {
  json::array notify;
  for (const auto& one : outlets.notify) {
    notify.push_back(
        json::object{{"to", one.to.to_string()}, {"sent", one.sent}, {"failed", one.failed}});
  }
  return {{"notify", std::move(notify)},
          {"hook", hook_json(outlets.hook)},
          {"listeners",
           {{"now", outlets.listeners},
            {"cut", outlets.listeners_cut},
            {"refused", outlets.listeners_refused}}}};
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
      {"tcp", tcp_json(flow.tcp)},
      {"fanout", spread_json(flow.spread)},
      {"queue", queue_json(flow.queue)},
      {"impair", impair_json(flow.impair)},
      {"link", flow.link ? state_json(*flow.link) : json::value(nullptr)},
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
  json::array links;
  for (const LinkStatus& link : status.links) links.push_back(link_json(link));
  json::array offers;
  for (const OfferStatus& offer : status.offers) offers.push_back(offer_json(offer));
  return to_json_text(json::object{{"id", status.id},
                                   {"server", server_json(status.server)},
                                   {"peers", std::move(peers)},
                                   {"flows", std::move(flows)},
                                   {"links", std::move(links)},
                                   {"congestion_events", outlets_json(status.outlets)},
                                   {"offers", std::move(offers)},
                                   {"uplink", uplink_json(status.uplink)},
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
