// routes.yaml → Network. Strict: whatever is not understood is an error with its place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wormhole/model/network.hpp"

namespace wormhole {

/// One thing wrong in the file. to_string: "file:line:column: key path: what is wrong; expected …".
struct ConfigError {
  std::string file;
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< from 1
  std::string path;        ///< "flows.video.port"
  std::string message;
  std::string to_string() const;
};

/// Limits from measurements of yaml-cpp 0.7: deeper or larger files are refused before parsing.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{8} << 20;
inline constexpr std::size_t kMaxConfigDepth = 16;

using ConfigResult = std::variant<Network, std::vector<ConfigError>>;

/// Parses `text`; `file` is only used in messages. Reports as many errors as it can find (at most
/// 20).
ConfigResult parse_routes(std::string_view text, const std::string& file);
/// Reads and parses. An unreadable file is one error at line 0.
ConfigResult load_routes(const std::string& path);

}  // namespace wormhole
