// The system's random generator.
#pragma once

#include "wormhole/base/rng.hpp"

namespace wormhole {

/// getrandom(2): strong enough for keys. Blocks only at early boot; a failure ends the process.
class SystemRng final : public Rng {
 public:
  void fill(MutBytes out) override;
};

}  // namespace wormhole
