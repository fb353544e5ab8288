#include "wormhole/crypto/handshake.hpp"

#include <sodium.h>

#include <algorithm>

#include "crypto/layout.hpp"
#include "crypto/noise.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {
namespace {

using namespace layout;

constexpr std::size_t kInitNoiseSize = kInitMac1At - kInitNoiseAt;
constexpr std::size_t kRespNoiseSize = kRespMac1At - kRespNoiseAt;
static_assert(kInitNoiseSize == noise::kFirstOverhead + kInitPayloadSize);
static_assert(kRespNoiseSize == noise::kSecondOverhead + kRespPayloadSize);

/// Size, type, and zero in the bytes from `zeros_at` up to the first index.
bool has_header(Bytes message, std::size_t size, std::uint8_t type, std::size_t zeros_at) {
  constexpr std::size_t kFirstIndexAt = 4;
  if (message.size() != size || message[0] != type) return false;
  const auto zeros = message.subspan(zeros_at, kFirstIndexAt - zeros_at);
  return std::all_of(zeros.begin(), zeros.end(), [](std::uint8_t byte) { return byte == 0; });
}

void write_mac(Bytes key, MutBytes message, std::size_t at) {
  copy_bytes(mac_of(key, message.first(at)), message.subspan(at));
}

}  // namespace

SecretKey mac1_key(const PublicKey& responder, const KnockKey& knock) {
  SecretKey key;
  blake2b(key.bytes, {}, {as_bytes("mac1"), responder.bytes, knock});
  return key;
}

SecretKey layout::cookie_seal_key(const PublicKey& responder, const KnockKey& knock) {
  SecretKey key;
  blake2b(key.bytes, {}, {as_bytes("cookie"), responder.bytes, knock});
  return key;
}

Mac layout::mac_of(Bytes key, Bytes before) {
  Mac mac{};
  blake2b(mac, key, {before});
  return mac;
}

bool check_mac1(Bytes message, const SecretKey& key) {
  if (message.size() != kInitSize && message.size() != kRespSize) return false;
  const auto at = message.size() == kInitSize ? kInitMac1At : kRespMac1At;
  return equal_secret(mac_of(key.bytes, message.first(at)), message.subspan(at, kMacSize));
}

struct Initiator::State {
  State(const KeyPair& self, const PublicKey& responder_key, const HandshakeContext& context,
        Rng& rng)
      : responder(responder_key),
        knock(context.knock),
        answer_mac1(mac1_key(self.public_key, context.knock)),
        noise(self, responder_key, context.psk, context.prologue, KeyPair::generate(rng)) {}

  bool write_first(std::uint32_t sender_index, Bytes payload);

  enum class Step { kFresh, kSent, kFinished };
  PublicKey responder;
  KnockKey knock;
  SecretKey answer_mac1;  ///< the MAC1 of a RESP is towards our own key
  noise::Initiator noise;
  Step step = Step::kFresh;
  std::uint32_t index = 0;
  Array<kInitMac2At> init{};  ///< what was sent, without MAC2
};

bool Initiator::State::write_first(std::uint32_t sender_index, Bytes payload) {
  init[0] = kInitType;
  init[kVersionAt] = kMajorVersion;
  store_le(init.data() + kInitSenderAt, sender_index);
  const auto inner = MutBytes(init).subspan(kInitNoiseAt, kInitNoiseSize);
  if (!noise.write_first(payload, inner)) return false;
  write_mac(mac1_key(responder, knock).bytes, init, kInitMac1At);
  index = sender_index;
  step = Step::kSent;
  return true;
}

Initiator::Initiator(const KeyPair& self, const PublicKey& responder,
                     const HandshakeContext& context, Rng& rng)
    : state_(std::make_unique<State>(self, responder, context, rng)) {}
Initiator::~Initiator() = default;
Initiator::Initiator(Initiator&&) noexcept = default;
Initiator& Initiator::operator=(Initiator&&) noexcept = default;

bool Initiator::write_init(std::uint32_t sender_index,
                           const std::array<std::uint8_t, kInitPayloadSize>& payload,
                           const std::optional<Mac>& cookie, MutBytes out) {
  WH_ASSERT(out.size() == kInitSize);
  if (state_->step == State::Step::kFresh && !state_->write_first(sender_index, payload)) {
    return false;
  }
  copy_bytes(state_->init, out);
  copy_bytes(cookie ? mac_of(*cookie, state_->init) : Mac{}, out.subspan(kInitMac2At));
  return true;
}

std::optional<Initiator::Accepted> Initiator::read_resp(Bytes message) {
  State& state = *state_;
  if (state.step != State::Step::kSent) return std::nullopt;
  if (!has_header(message, kRespSize, kRespType, 2)) return std::nullopt;
  if (load_le<std::uint32_t>(message.data() + kRespReceiverAt) != state.index) return std::nullopt;
  if (!check_mac1(message, state.answer_mac1)) return std::nullopt;
  Accepted accepted{load_le<std::uint32_t>(message.data() + kRespSenderAt), {}, {}};
  const auto inner = message.subspan(kRespNoiseAt, kRespNoiseSize);
  if (!state.noise.read_second(inner, accepted.payload)) return std::nullopt;
  const auto keys = state.noise.symmetric().split();
  accepted.keys = {keys.to_responder, keys.to_initiator};
  state.step = State::Step::kFinished;
  return accepted;
}

std::optional<Mac> Initiator::read_cookie(Bytes message) const {
  const State& state = *state_;
  if (state.step != State::Step::kSent) return std::nullopt;
  if (!has_header(message, kCookieSize, kCookieType, 1)) return std::nullopt;
  const auto receiver = load_le<std::uint32_t>(message.data() + kCookieReceiverAt);
  if (receiver != state.index) return std::nullopt;
  const auto key = cookie_seal_key(state.responder, state.knock);
  const auto mac1 = Bytes(state.init).subspan(kInitMac1At);
  Mac cookie{};
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      cookie.data(), nullptr, nullptr, message.data() + kCookieSealedAt,
      kCookieSize - kCookieSealedAt, mac1.data(), mac1.size(), message.data() + kCookieNonceAt,
      key.bytes.data());
  if (failed != 0) return std::nullopt;
  return cookie;
}

struct Responder::State {
  State(const KeyPair& self, const HandshakeContext& context)
      : knock(context.knock), noise(self, context.psk, context.prologue) {}

  KnockKey knock;
  noise::Responder noise;
  bool answered = false;
  std::uint32_t initiator_index = 0;
  std::array<std::uint8_t, kInitPayloadSize> payload{};
};

Responder::Responder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Responder::~Responder() = default;
Responder::Responder(Responder&&) noexcept = default;
Responder& Responder::operator=(Responder&&) noexcept = default;

std::optional<Responder> Responder::read_init(const KeyPair& self, const HandshakeContext& context,
                                              Bytes message) {
  if (!has_header(message, kInitSize, kInitType, 2)) return std::nullopt;
  if (message[kVersionAt] != kMajorVersion) return std::nullopt;
  auto state = std::make_unique<State>(self, context);
  const auto inner = message.subspan(kInitNoiseAt, kInitNoiseSize);
  if (!state->noise.read_first(inner, state->payload)) return std::nullopt;
  state->initiator_index = load_le<std::uint32_t>(message.data() + kInitSenderAt);
  return Responder(std::move(state));
}

const PublicKey& Responder::initiator_key() const { return state_->noise.initiator_key(); }
std::uint32_t Responder::initiator_index() const { return state_->initiator_index; }
const std::array<std::uint8_t, kInitPayloadSize>& Responder::payload() const {
  return state_->payload;
}

std::optional<TransportKeys> Responder::write_resp(
    std::uint32_t sender_index, const std::array<std::uint8_t, kRespPayloadSize>& payload, Rng& rng,
    MutBytes out) {
  WH_ASSERT(out.size() == kRespSize);
  State& state = *state_;
  if (state.answered) return std::nullopt;
  state.answered = true;
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  out[0] = kRespType;
  out[kVersionAt] = payload[0];  // both places say which version was chosen
  store_le(out.data() + kRespSenderAt, sender_index);
  store_le(out.data() + kRespReceiverAt, state.initiator_index);
  const auto inner = out.subspan(kRespNoiseAt, kRespNoiseSize);
  if (!state.noise.write_second(KeyPair::generate(rng), payload, inner)) return std::nullopt;
  write_mac(mac1_key(initiator_key(), state.knock).bytes, out, kRespMac1At);
  const auto keys = state.noise.symmetric().split();
  return TransportKeys{keys.to_initiator, keys.to_responder};
}

}  // namespace wormhole
