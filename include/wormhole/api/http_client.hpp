// One HTTP request to a local server, blocking: for the command line.
#pragma once

#include <chrono>
#include <string>
#include <variant>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

struct UnixPath {
  std::string path;
};
using HttpTarget = std::variant<Endpoint, UnixPath>;

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// Why there is no answer at all.
struct HttpFailure {
  bool nobody_listens = false;  ///< refused, or no such socket: no process serves there
  std::string message;
};

/// A local server answers in milliseconds; three seconds are a machine that is swapping.
inline constexpr std::chrono::milliseconds kHttpTimeout{3000};

/// Sends one request and waits for the whole answer (at most 8 MiB), `timeout` in all.
std::variant<HttpAnswer, HttpFailure> http_request(
    const HttpTarget& target, const std::string& method, const std::string& path,
    const std::string& body = {}, std::chrono::milliseconds timeout = kHttpTimeout);

}  // namespace wormhole
