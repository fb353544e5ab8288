// Which requests are let in, apart from sockets: pure functions.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/system/error_code.hpp>
#include <optional>
#include <string_view>

#include "wormhole/api/http_server.hpp"

namespace wormhole {

/// True for "localhost" and loopback addresses, with or without a port (RFC 9110 7.2).
bool is_local_host(std::string_view host);

/// What is wrong with the header, if anything: Host missing, repeated or foreign; Origin present.
std::optional<HttpResponse> refuse_header(const boost::beast::http::fields& header);

/// The answer to a request that could not be read; nothing when the connection just ends.
std::optional<HttpResponse> refuse_unreadable(const boost::system::error_code& why,
                                              const HttpLimits& limits);

}  // namespace wormhole
