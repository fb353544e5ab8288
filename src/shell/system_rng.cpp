#include "wormhole/shell/system_rng.hpp"

#include <sys/random.h>

#include <cerrno>

#include "wormhole/base/result.hpp"

namespace wormhole {

void SystemRng::fill(MutBytes out) {
  while (!out.empty()) {
    const ssize_t size = ::getrandom(out.data(), out.size(), 0);
    WH_ASSERT(size > 0 || errno == EINTR);
    if (size > 0) out = out.subspan(static_cast<std::size_t>(size));
  }
}

}  // namespace wormhole
