#include "http_rules.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <string>

namespace wormhole {

namespace http = boost::beast::http;

namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

/// Takes ":port" off the end; nothing when there is something else behind the host.
std::optional<std::string_view> without_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
  if (colon == host.npos) return host;
  if (!is_port(host.substr(colon + 1))) return std::nullopt;
  return host.substr(0, colon);
}

std::string canonical_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

HostNames::HostNames(const std::vector<std::string>& extra) : names_{"localhost"} {
  for (const std::string& host : extra) {
    if (const auto address = IpAddress::parse(host)) {
      addresses_.insert(*address);
    } else {
      names_.insert(canonical_name(host));
    }
  }
}

bool HostNames::allows(std::string_view host) const {
  const auto name = without_port(host);
  if (!name) return false;
  const bool bracketed = name->size() > 2 && name->front() == '[' && name->back() == ']';
  const auto address = IpAddress::parse(bracketed ? name->substr(1, name->size() - 2) : *name);
  if (address) return address->is_loopback() || addresses_.contains(*address);
  return names_.contains(canonical_name(*name));
}

std::optional<HttpResponse> refuse_header(const http::fields& header, const HostNames& hosts) {
  if (header.count(http::field::host) != 1) {
    return problem(400, "The request needs exactly one Host header (RFC 9112 3.2).");
  }
  if (!hosts.allows(header[http::field::host])) {
    return problem(403,
                   "The Host header does not name this machine (localhost, a loopback address or "
                   "a host of the configuration), so a foreign web page may have sent this (DNS "
                   "rebinding).");
  }
  if (header.count(http::field::origin) != 0) {
    return problem(403, "Requests from web pages (with an Origin header) are not accepted.");
  }
  return std::nullopt;
}

std::optional<HttpResponse> refuse_unreadable(const boost::system::error_code& why,
                                              const HttpLimits& limits) {
  if (why == http::error::header_limit) {
    return problem(431,
                   "The header is longer than " + std::to_string(limits.header_bytes) + " bytes.");
  }
  if (why == http::error::body_limit) {
    return problem(413, "The body is longer than " + std::to_string(limits.body_bytes) + " bytes.");
  }
  if (why == http::error::end_of_stream || why == http::error::partial_message) return std::nullopt;
  if (why.category() == http::make_error_code(http::error::bad_method).category()) {
    return problem(400, "This is not an HTTP/1.1 request: " + why.message() + ".");
  }
  return std::nullopt;
}

std::string_view HttpResponse::field(std::string_view name) const {
  for (const HttpField& entry : fields) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

}  // namespace wormhole
