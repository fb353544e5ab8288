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

/// What follows from a NAT for direct paths (docs/nat-traversal.md), in one sentence.
std::string_view meaning(const std::string& mapping, const std::string& allocation) {
  if (mapping == words(NatMapping::kNone)) {
    return "every peer that can send UDP finds a direct path to this client";
  }
  if (mapping == words(NatMapping::kEndpointIndependent)) {
    return "direct paths open at once with most peers, and after some probing with those behind "
           "symmetric NATs";
  }
  if (mapping == words(NatMapping::kUnknown)) return "too little is known to say";
  if (allocation == words(PortAllocation::kSequential)) {
    return "the NAT is symmetric, but its next ports are known: direct paths open with all but "
           "random symmetric NATs";
  }
  if (allocation == words(PortAllocation::kRange)) {
    return "the NAT is symmetric with a small range of ports: direct paths open with most peers, "
           "after some probing";
  }
  return "the NAT is symmetric with ports that nobody can guess: direct paths open with peers "
         "whose "
         "NAT is not, after some probing; others stay on the relay";
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
      {"mapping", text(words(report.mapping))},
      {"filtering", text(words(report.filtering))},
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

std::string nat_json(const NatFindings& nat) { return to_json_text(nat_object(nat)); }

Result<std::string> render_nat(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return Error{"the answer is not what a NAT check found out"};
  const auto& inner = member(value, "nat");
  const json::value& nat = inner.is_object() ? inner : value;
  if (!is_true(nat, "known")) {
    return Error{"nothing is known of the NAT: the server has no IPv4 address, or is too old"};
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
  if (is_true(nat, "one_address")) {
    out += remark("asked at one address of the server: address-dependence can't be told apart");
  }
  out += '\n' + remark(meaning(mapping, text_of(nat, "allocation")));
  return {boost::system::in_place_value, std::move(out)};
}

}  // namespace wormhole
