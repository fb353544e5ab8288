// What the core says, to the log.
#pragma once

#include <vector>

#include "wormhole/base/outbox.hpp"

namespace wormhole {

void write_log(const std::vector<LogLine>& lines);

}  // namespace wormhole
