// Key paths in messages: "flows.video.port", "server.addresses[1]".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wormhole {

/// Text from the file as it may stand in a message: at most 64 bytes, one line.
std::string shown(std::string_view text);
/// The same in double quotes.
std::string quoted(std::string_view text);

std::string path_of(const std::string& parent, std::string_view key);
std::string path_of(const std::string& parent, std::size_t index);

}  // namespace wormhole
