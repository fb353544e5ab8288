#include "shell/log_lines.hpp"

#include <spdlog/spdlog.h>

namespace wormhole {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void write_log(const std::vector<LogLine>& lines) {
  for (const auto& line : lines) spdlog::log(level_of(line.level), "{}", line.text);
}

}  // namespace wormhole
