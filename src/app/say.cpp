#include "say.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>

namespace wormhole {

void say_error(std::string_view sentence) {
  std::fprintf(stderr, "wormhole: error: %.*s\n", static_cast<int>(sentence.size()),
               sentence.data());
}

void say(std::string_view sentence) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
}

void start_logging(const std::string& level) {
  auto logger = spdlog::stderr_color_mt("wormhole");
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(journal ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e %^%l%$: %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace wormhole
