// Asking the server that runs on this machine, over its control socket.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "wormhole/base/result.hpp"

namespace wormhole {

struct ControlCall {
  std::string method;
  std::string path;
  boost::json::object body{};  ///< sent when it is not empty
};

/// The answer (empty for 204), or what the server says against it; nothing when no server runs
/// there.
std::optional<Result<boost::json::object>> ask_server(const std::string& state_dir,
                                                      const ControlCall& call);

/// A text of an answer; empty when it is not there.
std::string text_in(const boost::json::object& answer, const char* name);

}  // namespace wormhole
