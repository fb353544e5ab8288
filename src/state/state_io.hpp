// Files of a state directory, as bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "wormhole/base/result.hpp"

namespace wormhole {

/// In FileLock::acquire's error between the path and the holder's pid.
inline constexpr auto kHeldBy = " is held by process ";

/// 65,535 clients with their bindings and 4 invites each are 80 MB; more is not ours.
inline constexpr std::size_t kMaxStateBytes = std::size_t{128} << 20;

/// The content, or nothing when there is no such file.
Result<std::optional<std::string>> read_state_file(const std::string& path);

/// Makes `dir` with mode 0700, and its parents, where they are missing.
Result<void> make_state_directory(const std::string& dir);

}  // namespace wormhole
