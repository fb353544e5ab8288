#include "wormhole/wire/cursor.hpp"

#include "wormhole/base/result.hpp"

namespace wormhole {
namespace {

constexpr std::uint8_t kFamilyNone = 0;
constexpr std::uint8_t kFamilyV4 = 4;
constexpr std::uint8_t kFamilyV6 = 6;

std::uint8_t family_of(const Endpoint& endpoint) {
  if (!endpoint.is_set()) return kFamilyNone;
  return endpoint.address.is_v4() ? kFamilyV4 : kFamilyV6;
}

}  // namespace

Bytes Reader::take(std::size_t count) {
  if (!ok_ || rest_.size() < count) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const auto front = rest_.first(count);
  rest_ = rest_.subspan(count);
  return front;
}

std::string_view Reader::short_text() {
  const auto length = number<std::uint8_t>();
  return as_text(take(length));
}

Endpoint Reader::endpoint() {
  const auto family = number<std::uint8_t>();
  Endpoint endpoint;
  endpoint.address.bytes = array<16>();
  endpoint.port = number<std::uint16_t>();
  if (family == kFamilyNone) return {};
  if (family != family_of(endpoint)) {
    ok_ = false;
    return {};
  }
  return endpoint;
}

Writer& Writer::bytes(Bytes more) {
  out_.insert(out_.end(), more.begin(), more.end());
  return *this;
}

Writer& Writer::short_text(std::string_view text) {
  WH_ASSERT(text.size() <= 255);
  number(static_cast<std::uint8_t>(text.size()));
  return bytes(as_bytes(text));
}

Writer& Writer::endpoint(const Endpoint& endpoint) {
  number(family_of(endpoint));
  bytes(endpoint.is_set() ? endpoint.address.bytes : IpAddress{}.bytes);
  return number(endpoint.port);
}

}  // namespace wormhole
