#include "wormhole/crypto/cookie.hpp"

#include <sodium.h>

#include <algorithm>

#include "crypto/layout.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {
namespace {

using namespace layout;

/// docs/protocol.md 2; the same as WireGuard's (whitepaper 5.4.7).
constexpr Duration kSecretLife = 120s;

}  // namespace

CookieJar::CookieJar(const PublicKey& responder, const KnockKey& knock, Rng& rng)
    : rng_(rng), seal_key_(cookie_seal_key(responder, knock)) {}

bool CookieJar::check_mac2(Bytes init, const Endpoint& from, TimePoint now) {
  if (init.size() != kInitSize) return false;
  renew(now);
  const auto before = init.first(kInitMac2At);
  const auto mac2 = init.subspan(kInitMac2At);
  const auto fits = [&](const SecretKey& secret) {
    return equal_secret(mac_of(cookie_for(secret, from), before), mac2);
  };
  return fits(current_) || fits(previous_);
}

void CookieJar::write_cookie(Bytes init, const Endpoint& from, TimePoint now, MutBytes out) {
  WH_ASSERT(init.size() == kInitSize && out.size() == kCookieSize);
  renew(now);
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  out[0] = kCookieType;
  copy_bytes(init.subspan(kInitSenderAt, sizeof(std::uint32_t)), out.subspan(kCookieReceiverAt));
  const auto nonce = out.subspan(kCookieNonceAt, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
  rng_.fill(nonce);
  const Mac cookie = cookie_for(current_, from);
  const auto mac1 = init.subspan(kInitMac1At, kMacSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.data() + kCookieSealedAt, nullptr, cookie.data(),
                                             cookie.size(), mac1.data(), mac1.size(), nullptr,
                                             nonce.data(), seal_key_.bytes.data());
}

void CookieJar::renew(TimePoint now) {
  if (!started_ || now - renewed_ >= 2 * kSecretLife) {
    rng_.fill(previous_.bytes);
    rng_.fill(current_.bytes);
    renewed_ = now;
    started_ = true;
  } else if (now - renewed_ >= kSecretLife) {
    previous_ = current_;
    rng_.fill(current_.bytes);
    renewed_ += kSecretLife;  // not `now`: a late call must not lengthen the old secret's life
  }
}

Mac CookieJar::cookie_for(const SecretKey& secret, const Endpoint& from) const {
  Array<2> port{};
  store_le(port.data(), from.port);
  Mac cookie{};
  blake2b(cookie, secret.bytes, {from.address.bytes, port});
  return cookie;
}

}  // namespace wormhole
