// Reading a secret from a person or a pipe.
#pragma once

#include <functional>
#include <string>

#include "wormhole/base/result.hpp"

namespace wormhole {

/// Reads standard input. From a pipe: all of it (at most 16 KiB). From a terminal: prints `prompt`
/// on standard error and reads lines without showing them until `is_complete` (mail programs wrap
/// long lines), an empty line or the end. Ctrl-C and an empty input are errors.
Result<std::string> read_secret(const std::string& prompt,
                                const std::function<bool(const std::string&)>& is_complete);

}  // namespace wormhole
