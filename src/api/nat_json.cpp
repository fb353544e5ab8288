#include "nat_json.hpp"

#include "json_text.hpp"
#include "table_text.hpp"
#include "wormhole/api/status.hpp"
#include "wormhole/nat/words.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

json::value port_or_null(std::uint16_t port) {
  return port == 0 ? json::value(nullptr) : json::value(port);
}

constexpr auto kNothingKnown =
    "nothing is known of the NAT: the server has no IPv4 address, or answers no probes";
constexpr auto kOneAddress =
    "the server could be asked at one address only: whether mapping and filtering depend on the "
    "address can't be told";

constexpr std::string_view kEitherOfTwo = "endpoint-independent or address-dependent";

/// What follows from a NAT for direct paths (docs/nat-traversal.md), in one sentence.
std::string_view meaning(const std::string& mapping, const std::string& allocation) {
  if (mapping == words(NatMapping::kNone)) {
    return "every peer that can send UDP finds a direct path to this client";
  }
  if (mapping == words(NatMapping::kEndpointIndependent)) {
    return "direct paths open at once with most peers, and after some probing with those behind "
           "symmetric NATs";
  }
  if (mapping == words(NatMapping::kUnknown) || mapping == kEitherOfTwo)
    return "too little is known to say";
  if (allocation == words(PortAllocation::kSequential)) {
    return "the NAT is symmetric, but its next ports are known: direct paths open with all but "
           "random symmetric NATs";
  }
  if (allocation == words(PortAllocation::kRange)) {
    return "the NAT is symmetric with a small range of ports: direct paths open with most peers, "
           "after some probing";
  }
  return "the NAT is symmetric with ports that nobody can guess: direct paths open with peers "
         "whose NAT is not, after some probing; others stay on the relay";
}

/// What stands in the way of a check.
struct Obstacle {
  const char* problem;
  std::string detail;
};

std::optional<Obstacle> obstacle(const NatCheckReport& report) {
  const auto& server = report.server;
  if (!server.connected && !server.address.is_set()) {
    return Obstacle{"not_connected",
                    "the client has no address of its server to ask: does the server's name "
                    "resolve here?"};
  }
  if (!server.connected) {
    return Obstacle{"udp_blocked", "no answer by UDP from the server at " +
                                       server.address.to_string() +
                                       ": a firewall on the way blocks UDP, or the server is down"};
  }
  if (!report.in_time) {
    return Obstacle{"incomplete", "the check did not end in time: this is what is known so far"};
  }
  if (!report.nat.mapping_known) return Obstacle{"unknown", kNothingKnown};
  if (report.nat.one_address) return Obstacle{"one_address", kOneAddress};
  return std::nullopt;
}

/// Asked at one address of the server, a NAT that depends on addresses looks as if it did not, and
/// what passes from the other port alone may pass from everywhere.
std::string_view mapping_words(const NatFindings& nat) {
  const auto mapping = nat.report.mapping;
  const bool open = nat.one_address && mapping == NatMapping::kEndpointIndependent;
  return open ? kEitherOfTwo : words(mapping);
}

std::string_view filtering_words(const NatFindings& nat) {
  const auto filtering = nat.report.filtering;
  const bool open = nat.one_address && filtering == NatFiltering::kAddressDependent;
  return open ? kEitherOfTwo : words(filtering);
}

std::string allocation_text(const json::value& nat) {
  auto text = text_of(nat, "allocation");
  if (const auto step = number_of(nat, "step")) text += printf_text(", step %.0f", *step);
  const auto low = number_of(nat, "low");
  const auto high = number_of(nat, "high");
  if (low && high) text += printf_text(", %.0f", *low) + printf_text("–%.0f", *high);
  return text;
}

std::string lifetime_text(const json::value& nat) {
  const auto lifetime = number_of(nat, "lifetime_s");
  if (!lifetime) return "not measured yet";
  if (*lifetime == 0) return "below 15 s without traffic";
  return printf_text("%.0f s without traffic", *lifetime) +
         (is_true(nat, "lifetime_is_limit") ? " (not twice that)" : " or more");
}

std::string hairpin_text(const json::value& nat) {
  const auto& hairpin = member(nat, "hairpin");
  return hairpin.is_bool() ? (hairpin.get_bool() ? "yes" : "no") : "-";
}

}  // namespace

json::object nat_object(const NatFindings& nat) {
  const auto& report = nat.report;
  const bool ports = report.low != 0;
  const auto text = [](std::string_view words) { return json::string(words); };
  return {
      {"known", nat.mapping_known},
      {"complete", nat.complete},
      {"udp_passes", nat.udp_passes},
      {"mapping", text(mapping_words(nat))},
      {"filtering", text(filtering_words(nat))},
      {"allocation", text(words(report.allocation))},
      {"mapped",
       report.mapped.is_set() ? json::value(report.mapped.to_string()) : json::value(nullptr)},
      {"address_varies", report.address_varies},
      {"one_address", nat.one_address},
      {"step", report.step == 0 ? json::value(nullptr) : json::value(report.step)},
      {"low", ports ? port_or_null(report.low) : json::value(nullptr)},
      {"high", ports ? port_or_null(report.high) : json::value(nullptr)},
      {"hairpin", nat.hairpin ? json::value(*nat.hairpin) : json::value(nullptr)},
      {"lifetime_s",
       nat.lifetime
           ? json::value(std::chrono::duration_cast<std::chrono::seconds>(*nat.lifetime).count())
           : json::value(nullptr)},
      {"lifetime_is_limit", nat.lifetime_is_limit}};
}

std::string netcheck_json(const NatCheckReport& report) {
  auto object = nat_object(report.nat);
  object["udp_passes"] = report.server.connected;
  object["complete"] = report.nat.complete && report.in_time && report.server.connected;
  const auto found = obstacle(report);
  object["problem"] = found ? json::value(found->problem) : json::value(nullptr);
  object["detail"] = found ? json::value(found->detail) : json::value(nullptr);
  return to_json_text(object);
}

std::string nat_line(const json::value& nat) {
  const auto mapping = text_of(nat, "mapping");
  const auto filtering = text_of(nat, "filtering") + " filtering";
  if (!is_true(nat, "known")) return "not known yet";
  if (mapping == words(NatMapping::kNone))
    return "none, public " + text_of(nat, "mapped") + ", " + filtering;
  return mapping + " mapping, " + filtering + ", ports " + allocation_text(nat) + ", public " +
         text_of(nat, "mapped");
}

Result<std::string> render_nat(std::string_view text) {
  boost::system::error_code error;
  const json::value nat = json::parse({text.data(), text.size()}, error);
  if (error || !nat.is_object()) return Error{"the answer is not what a NAT check found out"};
  const auto detail = text_of(nat, "detail");
  if (!is_true(nat, "known") || !is_true(nat, "udp_passes")) {
    return Error{detail == "-" ? kNothingKnown : detail};
  }
  const auto line = [](const char* name, const std::string& what) {
    return row(cell(name, 14) + what);
  };
  const auto mapping = text_of(nat, "mapping");
  std::string out = line("public", text_of(nat, "mapped"));
  out += line("mapping", mapping);
  out += line("filtering", text_of(nat, "filtering"));
  out += line("ports", allocation_text(nat));
  out += line("hairpin", hairpin_text(nat));
  out += line("lifetime", lifetime_text(nat));
  if (is_true(nat, "address_varies")) {
    out += remark("mappings have different public addresses: their ports can't be predicted");
  }
  if (text_of(nat, "problem") == "incomplete") out += remark(detail);
  if (is_true(nat, "one_address")) out += remark(kOneAddress);
  out += '\n' + remark(meaning(mapping, text_of(nat, "allocation")));
  return {boost::system::in_place_value, std::move(out)};
}

}  // namespace wormhole
