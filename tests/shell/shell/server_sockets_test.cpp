#include "shell/server_sockets.hpp"

#include <gtest/gtest.h>

#include "shell/shell/loop.hpp"

namespace wormhole {
namespace {
}
}  // namespace wormhole
