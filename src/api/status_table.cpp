// The table of `wormhole status`: 80 columns, what matters first, reasons below their row.
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <string>

#include "nat_json.hpp"
#include "table_text.hpp"
#include "wormhole/api/status.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

std::string rtt_text(const json::value& of) {
  const auto rtt = number_of(of, "rtt_ms");
  return rtt ? printf_text("%.1f ms", *rtt) : "-";
}

std::string loss_text(const json::value& of) {
  const auto loss = number_of(of, "loss");
  return loss ? printf_text("%.1f %%", *loss * 100) : "-";
}

/// A bit rate with three digits and its unit.
std::string rate_text(const json::value& traffic) {
  const auto bps = number_of(traffic, "bps");
  if (!bps) return "-";
  if (*bps < 1e3) return printf_text("%.0f bit/s", *bps);
  const char* unit = " kbit/s";
  double value = *bps / 1e3;
  for (const char* larger : {" Mbit/s", " Gbit/s"}) {
    if (value < 999.5) break;
    value /= 1e3;
    unit = larger;
  }
  return printf_text(value < 99.95 ? "%.1f" : "%.0f", value) + unit;
}

std::string age_text(const json::value& of) {
  const auto age = number_of(of, "since_s");
  if (!age) return "-";
  const auto s = std::llround(*age);
  const auto pair = [](long long large, const char* unit, long long small, const char* sub_unit) {
    return std::to_string(large) + unit + ' ' + std::to_string(small) + sub_unit;
  };
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return pair(s / 60, " min", s % 60, " s");
  if (s < 86'400) return pair(s / 3600, " h", s % 3600 / 60, " min");
  return pair(s / 86'400, " d", s % 86'400 / 3600, " h");
}

std::string server_lines(const json::value& status) {
  const json::value& server = member(status, "server");
  const std::string id = text_of(status, "id");
  const std::string address = text_of(server, "address");
  if (is_true(server, "connected")) {
    return id + ": server " + address + " (" + text_of(server, "transport") + "), rtt " +
           rtt_text(server) + '\n' + remark("seen as " + text_of(server, "observed")) +
           remark("NAT: " + nat_line(member(status, "nat")));
  }
  const std::string reason = text_of(server, "reason");
  return id + ": server not connected" + (address == "-" ? "" : ", tried " + address) + '\n' +
         (reason == "-" ? "" : remark(reason));
}

/// "at 203.0.113.9:5333, opened by birthday in 1.1 s"
std::string direct_text(const json::value& peer) {
  const auto took = number_of(peer, "time_to_direct_ms");
  return "at " + text_of(peer, "remote") + ", opened by " + text_of(peer, "strategy") +
         (took ? printf_text(" in %.1f s", *took / 1000) : "");
}

std::string peer_rows(const json::value& peer) {
  const std::string path = text_of(peer, "path");
  const bool on_path = path != "none" && path != "-";
  std::string out =
      row(cell(text_of(peer, "id"), 24) + cell(path, 6) + cell(on_path ? rtt_text(peer) : "-", 10) +
          cell(on_path ? loss_text(peer) : "-", 7) + (on_path ? age_text(peer) : "-"));
  const std::string reason = text_of(peer, "reason");
  if (path == "direct") out += remark(direct_text(peer));
  if (reason != "-") return out + remark((path == "relay" ? "not direct: " : "") + reason);
  return is_true(peer, "online") ? out : out + remark("offline");
}

std::string partners(const json::value& flow) {
  const json::array& peers = array_of(flow, "peers");
  const std::string direction = text_of(flow, "direction");
  if (peers.empty()) return "-";
  const json::string* first = peers.front().if_string();
  const std::string more = peers.size() > 1 ? " +" + std::to_string(peers.size() - 1) : "";
  const std::string word = direction == "send" ? "to " : direction == "receive" ? "from " : "with ";
  constexpr std::size_t kWidth = 18;
  std::string name = first == nullptr ? "-" : std::string(first->begin(), first->end());
  const std::size_t room = kWidth - word.size() - more.size();
  if (name.size() > room) name = name.substr(0, room - 1) + '~';
  return word + name + more;
}

std::string drop_list(const json::value& of) {
  const json::object* drops = member(of, "drops").if_object();
  std::string out;
  if (drops == nullptr) return out;
  for (const auto& [cause, count] : *drops) {
    boost::system::error_code error;
    const auto number = count.to_number<std::uint64_t>(error);
    if (error || number == 0) continue;
    out += (out.empty() ? "" : ", ") + std::string(cause) + ' ' + std::to_string(number);
  }
  return out;
}

/// "drone3 127.1.1.1:14550, drone7 …"
std::string peer_addresses(const json::value& flow) {
  const json::value& ports = member(flow, "peer_ports");
  std::string out;
  if (!ports.is_object()) return out;
  for (const auto& [id, at] : ports.get_object()) {
    out += (out.empty() ? "" : ", ") + std::string(id) + ' ' + text_of(ports, id);
  }
  return out;
}

std::string app_text(const json::value& flow) {
  const std::string app = text_of(flow, "app");
  if (app == "listening") return "yes";
  return app == "not listening" ? "no" : "?";
}

std::string flow_rows(const json::value& flow) {
  std::string out = row(cell(text_of(flow, "name"), 16) + cell(port_text(flow), 9) +
                        cell(partners(flow), 18) + cell(rate_text(member(flow, "tx")), 11) +
                        cell(rate_text(member(flow, "rx")), 11) + app_text(flow));
  const std::string error = text_of(flow, "port_error");
  if (!is_true(flow, "port_open")) {
    out += remark("port not open" + (error == "-" ? "" : ": " + error));
  } else if (error != "-") {
    out += remark(error);  // of one peer's port
  }
  const std::string addresses = peer_addresses(flow);
  if (!addresses.empty()) out += remark("each peer has its address: " + addresses);
  const auto relay_port = number_of(flow, "relay_port");
  if (relay_port) out += remark("relayed by port " + printf_text("%.0f", *relay_port));
  const std::string hint = text_of(flow, "relay_hint");
  if (hint != "-") out += remark(hint);
  const std::string drops = drop_list(flow);
  if (!drops.empty()) out += remark("dropped: " + drops);
  return out;
}

}  // namespace

Result<std::string> render_status(std::string_view text) {
  boost::system::error_code error;
  const json::value status = json::parse({text.data(), text.size()}, error);
  if (error || !status.is_object()) return Error{"the answer is not the status of a client"};
  std::string out = server_lines(status) + '\n';
  out += row(cell("PEER", 24) + cell("PATH", 6) + cell("RTT", 10) + cell("LOSS", 7) + "SINCE");
  for (const json::value& peer : array_of(status, "peers")) out += peer_rows(peer);
  out += '\n' + row(cell("FLOW", 16) + cell("PORT", 9) + cell("PEERS", 18) + cell("SENT", 11) +
                    cell("RECEIVED", 11) + "APP");
  for (const json::value& flow : array_of(status, "flows")) out += flow_rows(flow);
  const std::string drops = drop_list(status);
  if (!drops.empty()) out += '\n' + remark("dropped outside flows: " + drops);
  return {boost::system::in_place_value, std::move(out)};
}

}  // namespace wormhole
