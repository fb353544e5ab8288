// Cookies: under load a responder answers only initiators that prove that they receive at their
// address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/crypto/handshake.hpp"

namespace wormhole {

/// Makes and checks cookies for one responder key. The secret is renewed every 120 s; a cookie made
/// with the one before is still good, so one lives 120–240 s.
class CookieJar {
 public:
  CookieJar(const PublicKey& responder, const KnockKey& knock, Rng& rng);
  /// Checks MAC2 of an INIT from `from`: keyed BLAKE2b-128(cookie, bytes before MAC2).
  bool check_mac2(Bytes init, const Endpoint& from, TimePoint now);
  /// Writes the COOKIE (kCookieSize bytes) that answers `init`, whose MAC1 was checked.
  void write_cookie(Bytes init, const Endpoint& from, TimePoint now, MutBytes out);

 private:
  void renew(TimePoint now);
  Mac cookie_for(const SecretKey& secret, const Endpoint& from) const;
  Rng& rng_;
  SecretKey seal_key_;
  SecretKey current_;
  SecretKey previous_;
  TimePoint renewed_{};
  bool started_ = false;
};

}  // namespace wormhole
