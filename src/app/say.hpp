// Sentences for the person at the terminal, on standard error; results go to standard output.
#pragma once

#include <string>
#include <string_view>

namespace wormhole {

/// "wormhole: error: …"
void say_error(std::string_view sentence);
/// A hint without a prefix.
void say(std::string_view sentence);

/// Logs of the long-running commands: one line per change on standard error, without the time when
/// the journal adds it (systemd.exec(5): JOURNAL_STREAM). `level` is one of kLogLevels.
void start_logging(const std::string& level);
inline constexpr const char* kLogLevels[] = {"debug", "info", "warning", "error"};

}  // namespace wormhole
