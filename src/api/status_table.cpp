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
std::string rate_text(const json::value& traffic, std::string_view name = "bps") {
  const auto bps = number_of(traffic, name);
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

/// "uplink full: sending at 2.8 Mbit/s, 41 kB wait"
std::string uplink_text(const json::value& uplink) {
  const double kilobytes = number_of(uplink, "backlog_bytes").value_or(0) / 1000;
  return "uplink full: sending at " + rate_text(uplink, "rate_bps") +
         printf_text(", %.0f kB wait", kilobytes);
}

std::string server_lines(const json::value& status) {
  const json::value& server = member(status, "server");
  const json::value& uplink = member(status, "uplink");
  const std::string id = text_of(status, "id");
  const std::string address = text_of(server, "address");
  if (is_true(server, "connected")) {
    return id + ": server " + address + " (" + text_of(server, "transport") + "), rtt " +
           rtt_text(server) + '\n' + remark("seen as " + text_of(server, "observed")) +
           remark("NAT: " + nat_line(member(status, "nat"))) +
           (is_true(uplink, "shaping") ? remark(uplink_text(uplink)) : "");
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

/// "MTU 1280, 2.5 % of what is sent goes in fragments"
std::string mtu_text(const json::value& mtu) {
  const auto ip = number_of(mtu, "ip");
  if (!ip) return "";
  const auto share = number_of(mtu, "fragmented_share").value_or(0);
  const bool searching = is_true(mtu, "searching");
  return (searching ? "MTU at least " : "MTU ") + printf_text("%.0f", *ip) +
         (share > 0 ? printf_text(", %.1f %% of what is sent goes in fragments", share * 100) : "");
}

std::string peer_rows(const json::value& peer) {
  const std::string path = text_of(peer, "path");
  const bool on_path = path != "none" && path != "-";
  std::string out =
      row(cell(text_of(peer, "id"), 24) + cell(path, 6) + cell(on_path ? rtt_text(peer) : "-", 10) +
          cell(on_path ? loss_text(peer) : "-", 7) + (on_path ? age_text(peer) : "-"));
  const std::string reason = text_of(peer, "reason");
  if (path == "direct") out += remark(direct_text(peer));
  const std::string mtu = mtu_text(member(peer, "mtu"));
  if (!mtu.empty()) out += remark(mtu);
  if (reason != "-") return out + remark((path == "relay" ? "not direct: " : "") + reason);
  return is_true(peer, "online") ? out : out + remark("offline");
}

std::string queue_text(const json::value& state) {
  const auto queue = number_of(state, "queue_ms");
  return queue ? printf_text("%.0f ms", *queue) : "-";
}

/// "-" for a link that nothing has tested.
std::string capacity_text(const json::value& state) {
  return number_of(state, "capacity_bps").value_or(0) > 0 ? rate_text(state, "capacity_bps") : "-";
}

std::string queue_and_loss(const json::value& state) {
  return "queue " + queue_text(state) + ", loss " + loss_text(state);
}

std::string link_rows(const json::value& link) {
  const std::string verdict = text_of(link, "state");
  const std::string out =
      row(cell(text_of(link, "peer"), 14) + cell(text_of(link, "way"), 6) + cell(verdict, 11) +
          cell(capacity_text(link), 11) + cell(rate_text(link, "offered_bps"), 11) +
          cell(rate_text(link, "delivered_bps"), 11));
  return verdict == "app_limited" ? out : out + remark(queue_and_loss(link));
}

std::string link_table(const json::value& status) {
  const json::array& links = array_of(status, "links");
  if (links.empty()) return "";
  std::string out = '\n' + row(cell("LINK", 14) + cell("WAY", 6) + cell("STATE", 11) +
                               cell("CAPACITY", 11) + cell("OFFERED", 11) + "DELIVERED");
  for (const json::value& link : links) out += link_rows(link);
  return out;
}

/// "limit: 3.0 Mbit/s of 6.0 Mbit/s offered arrive, queue 82 ms, loss 1.2 %"
std::string flow_link_text(const json::value& state) {
  const std::string verdict = text_of(state, "state");
  if (verdict != "limit" && verdict != "lossy") return "";
  return verdict + ": " + rate_text(state, "delivered_bps") + " of " +
         rate_text(state, "offered_bps") + " offered arrive, " + queue_and_loss(state);
}

std::string outlet_lines(const json::value& outlets) {
  std::string out;
  for (const json::value& one : array_of(outlets, "notify")) {
    out += row("events to " + text_of(one, "to") + ": " +
               printf_text("%.0f sent", number_of(one, "sent").value_or(0)) +
               printf_text(", %.0f failed", number_of(one, "failed").value_or(0)));
  }
  const json::value& hook = member(outlets, "hook");
  if (hook.is_object()) {
    out += row("on congestion: " + text_of(hook, "command"));
    out += remark(printf_text("%.0f runs, ", number_of(hook, "runs").value_or(0)) +
                  printf_text("%.0f failed, ", number_of(hook, "failures").value_or(0)) +
                  printf_text("%.0f killed, ", number_of(hook, "kills").value_or(0)) +
                  printf_text("%.0f skipped; last: ", number_of(hook, "skipped").value_or(0)) +
                  text_of(hook, "outcome"));
  }
  return out.empty() ? out : '\n' + out;
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

std::string count_text(const json::value& of, std::string_view name) {
  return printf_text("%.0f", number_of(of, name).value_or(0));
}

/// "drone3: 2 streams, RTT 41.2 ms, window 63 kB, 12 kB sent again"
std::string stream_text(const json::value& peer) {
  const std::string name = text_of(peer, "peer") + ": ";
  if (!is_true(peer, "up")) return name + "no stream connection yet";
  const auto kilobytes = [&](std::string_view what) {
    return printf_text("%.0f kB", number_of(peer, what).value_or(0) / 1000);
  };
  return name + count_text(peer, "streams") + " streams, RTT " + rtt_text(peer) + ", window " +
         kilobytes("window") + ", " + kilobytes("bytes_resent") + " sent again";
}

std::string tcp_rows(const json::value& tcp) {
  std::string line = count_text(tcp, "open") + " connections, " + count_text(tcp, "opened") +
                     " so far, " + count_text(tcp, "refused") + " refused";
  if (number_of(tcp, "cut").value_or(0) > 0) line += ", " + count_text(tcp, "cut") + " cut";
  std::string out = remark(line);
  const std::string error = text_of(tcp, "last_error");
  if (error != "-") out += remark("last: " + error);
  for (const json::value& peer : array_of(tcp, "peers")) out += remark(stream_text(peer));
  return out;
}

/// "12 receivers by 3 uploads a datagram"
std::string spread_text(const json::value& spread) {
  const auto uploads = number_of(spread, "uploads").value_or(0);
  const auto alone = number_of(spread, "alone").value_or(0);
  const auto grouped = number_of(spread, "grouped").value_or(0);
  return printf_text("%.0f receivers by ", alone + grouped) +
         printf_text(uploads == 1 ? "%.0f upload" : "%.0f uploads", uploads) + " a datagram";
}

/// "impaired by lte-weak: 12 of 1000 lost (loss 10, limit 2), 988 delayed by 52.1 ms, 3 altered"
std::string impair_text(const json::value& impair) {
  const std::string profile = text_of(impair, "profile");
  std::string out = "impaired" + (profile == "-" ? std::string() : " by " + profile);
  std::string causes;
  double lost = 0;
  const json::value& by_cause = member(impair, "lost");
  if (by_cause.is_object()) {
    for (const auto& [cause, count] : by_cause.get_object()) {
      lost += number_of(by_cause, cause).value_or(0);
      causes +=
          (causes.empty() ? " (" : ", ") + std::string(cause) + ' ' + count_text(by_cause, cause);
    }
  }
  out += printf_text(": %.0f of ", lost) + count_text(impair, "offered") + " lost" + causes +
         (causes.empty() ? "" : ")");
  const auto delay = number_of(impair, "mean_delay_ms").value_or(0);
  out += ", " + count_text(impair, "delayed") + printf_text(" delayed by %.1f ms", delay);
  for (const auto& [key, word] : {std::pair{"corrupted", " altered"},
                                  {"duplicated", " doubled"},
                                  {"reordered", " ahead of others"},
                                  {"held", " waiting"}}) {
    if (number_of(impair, key).value_or(0) > 0) out += ", " + count_text(impair, key) + word;
  }
  return out;
}

std::string flow_rows(const json::value& flow) {
  const json::value& tcp = member(flow, "tcp");
  std::string out =
      row(cell(text_of(flow, "name"), 16) + cell(port_text(flow), 9) + cell(partners(flow), 18) +
          cell(rate_text(member(flow, "tx")), 11) + cell(rate_text(member(flow, "rx")), 11) +
          (tcp.is_object() ? "-" : app_text(flow)));
  const std::string error = text_of(flow, "port_error");
  const bool serves_only = tcp.is_object() && text_of(flow, "direction") == "receive";
  if (serves_only) {
    // It connects to the target; nobody dials here.
  } else if (!is_true(flow, "port_open")) {
    out += remark("port not open" + (error == "-" ? "" : ": " + error));
  } else if (error != "-") {
    out += remark(error);  // of one peer's port
  }
  const std::string addresses = peer_addresses(flow);
  if (!addresses.empty()) out += remark("each peer has its address: " + addresses);
  if (tcp.is_object()) out += tcp_rows(tcp);
  const json::value& spread = member(flow, "fanout");
  if (spread.is_object()) out += remark(spread_text(spread));
  const json::value& impair = member(flow, "impair");
  if (impair.is_object()) out += remark(impair_text(impair));
  const std::string link = flow_link_text(member(flow, "link"));
  if (!link.empty()) out += remark(link);
  const auto relay_port = number_of(flow, "relay_port");
  if (relay_port) out += remark("relayed by port " + printf_text("%.0f", *relay_port));
  const std::string hint = text_of(flow, "relay_hint");
  if (hint != "-") out += remark(hint);
  const json::value& queue = member(flow, "queue");
  if (number_of(queue, "packets").value_or(0) > 0) {
    out += remark(count_text(queue, "packets") + " datagrams wait for the uplink, the oldest " +
                  count_text(queue, "delay_ms") + " ms");
  }
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
  out += link_table(status);
  out += '\n' + row(cell("FLOW", 16) + cell("PORT", 9) + cell("PEERS", 18) + cell("SENT", 11) +
                    cell("RECEIVED", 11) + "APP");
  for (const json::value& flow : array_of(status, "flows")) out += flow_rows(flow);
  out += outlet_lines(member(status, "congestion_events"));
  const std::string drops = drop_list(status);
  if (!drops.empty()) out += '\n' + remark("dropped outside flows: " + drops);
  return {boost::system::in_place_value, std::move(out)};
}

}  // namespace wormhole
