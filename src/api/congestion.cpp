#include "wormhole/api/congestion.hpp"

#include <cmath>
#include <string_view>

#include "link_text.hpp"

namespace wormhole {
namespace {

using What = LinkChange::What;

/// A valid name: there is nothing to escape.
std::string text_member(std::string_view name, std::string_view value) {
  std::string out = "\"";
  out.append(name).append("\":\"").append(value).append("\"");
  return out;
}

std::string_view event_name(What what) {
  switch (what) {
    case What::kLink:
      return "link";
    case What::kFlow:
      return "flow";
    case What::kPath:
      return "path";
  }
  return "link";
}

/// Which one: members without braces.
std::string subject(const LinkChange& change) {
  if (change.what == What::kFlow) return text_member("flow", change.flow);
  const bool path = change.what == What::kPath;
  std::string out = text_member("peer", change.peer) + ',' +
                    text_member(path ? "path" : "way", path_name(change.way));
  if (path) out += ',' + text_member("before", path_name(change.before));
  return out;
}

std::string whole(const LinkChange& change) {
  std::string out = subject(change);
  if (change.what == What::kPath) return out;
  out += ',';
  append_state(out, change.state);
  return out;
}

void append_sample(std::string& out, const LinkSample& sample) {
  out += "\"ago_s\":";
  append_number(out, std::chrono::duration<double>(sample.ago).count());
  out += ',';
  append_state(out, sample.state);
}

void append_report(std::string& out, const LinkReport& report, bool history) {
  out += '{';
  if (!report.flow.empty()) {
    out += text_member("flow", report.flow);
  } else {
    out += text_member("peer", report.peer) + ',' +
           text_member("way", path_name(report.direct ? PathKind::kDirect : PathKind::kRelay));
  }
  out += ',';
  append_sample(out, report.newest);
  if (history) {
    out += ",\"history\":[";
    for (const auto& sample : report.history) {
      out += out.back() == '[' ? "{" : ",{";
      append_sample(out, sample);
      out += '}';
    }
    out += ']';
  }
  out += '}';
}

std::string number_text(double number) {
  std::string out;
  append_number(out, number);
  return out;
}

}  // namespace

std::string change_json(const LinkChange& change) {
  std::string out = "{";
  out += text_member("event", event_name(change.what));
  out += ',';
  out += whole(change);
  out += '}';
  return out;
}

std::string event_text(const LinkChange& change) {
  std::string out = "event: ";
  out.append(event_name(change.what)).append("\ndata: ").append(change_json(change));
  out += "\n\n";
  return out;
}

std::string change_subject(const LinkChange& change) {
  const std::string kind(event_name(change.what));
  if (change.what == What::kFlow) return kind + ' ' + change.flow;
  if (change.what == What::kPath) return kind + ' ' + change.peer;
  return kind + ' ' + change.peer + ' ' + std::string(path_name(change.way));
}

std::vector<std::string> change_environment(const LinkChange& change) {
  std::vector<std::string> out;
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.push_back("WORMHOLE_" + std::string(name) + '=' + std::string(value));
  };
  add("EVENT", event_name(change.what));
  if (!change.peer.empty()) add("PEER", change.peer);
  if (!change.flow.empty()) add("FLOW", change.flow);
  if (change.what == What::kPath) {
    add("PATH", path_name(change.way));
    add("PATH_BEFORE", path_name(change.before));
    return out;
  }
  if (change.what == What::kLink) add("WAY", path_name(change.way));
  const LinkState& state = change.state;
  const auto rate = [&add](std::string_view name, double bps) {
    add(name, std::to_string(std::llround(bps)));
  };
  add("STATE", verdict_name(state.verdict));
  rate("CAPACITY_BPS", state.capacity_bps);
  rate("OFFERED_BPS", state.offered_bps);
  rate("SENT_BPS", state.sent_bps);
  rate("DELIVERED_BPS", state.delivered_bps);
  add("QUEUE_MS",
      number_text(std::chrono::duration<double, std::milli>(state.queue_delay).count()));
  add("LOSS", number_text(state.loss));
  add("CONFIDENCE", number_text(state.confidence));
  if (state.rtt) {
    add("RTT_MS", number_text(std::chrono::duration<double, std::milli>(*state.rtt).count()));
  }
  return out;
}

std::vector<LinkChange> changes_of(const ClientStatus& status) {
  std::vector<LinkChange> all;
  for (const auto& link : status.links) {
    all.push_back({What::kLink, link.peer, {}, link.way, PathKind::kNone, link.state});
  }
  for (const auto& flow : status.flows) {
    if (!flow.link) continue;
    all.push_back({What::kFlow, {}, flow.name, PathKind::kNone, PathKind::kNone, *flow.link});
  }
  return all;
}

std::string congestion_json(const ClientStatus& status) {
  std::string links;
  std::string flows;
  for (const auto& change : changes_of(status)) {
    auto& list = change.what == What::kFlow ? flows : links;
    list += list.empty() ? "{" : ",{";
    list += whole(change);
    list += '}';
  }
  std::string out = "{";
  out += text_member("id", status.id);
  out.append(",\"links\":[").append(links).append("],\"flows\":[").append(flows).append("]}");
  return out;
}

std::string congestion_json(const std::vector<ClientLinks>& clients, bool history) {
  std::string out = "{\"clients\":[";
  for (const auto& client : clients) {
    if (out.back() != '[') out += ',';
    out += '{' + text_member("id", client.id) +
           ",\"online\":" + (client.online ? "true" : "false") + ",\"links\":[";
    for (const auto& report : client.links) {
      if (out.back() != '[') out += ',';
      append_report(out, report, history);
    }
    out += "]}";
  }
  return out + "]}";
}

}  // namespace wormhole
