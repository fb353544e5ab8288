#include "wormhole/session/initiation.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {

Initiation::Initiation(const KeyPair& self, const PublicKey& responder, HandshakeContext context,
                       InitPayload payload)
    : self_(self), responder_(responder), context_(std::move(context)), payload_(payload) {}

void Initiation::start(TimePoint at) {
  if (!is_trying()) {
    interval_ = kInitRetryFirst;
    tries_ = 0;
    attempts_.clear();
  }
  next_ = std::min(next_, at);
}

void Initiation::stop() {
  next_ = kNever;
  attempts_.clear();
}

std::optional<InitMessage> Initiation::next_init(std::uint32_t index, TimePoint now, Rng& rng) {
  if (now < next_) return std::nullopt;
  ++payload_.attempt;
  Attempt attempt{Initiator(self_, responder_, context_, rng), index, now, encode(payload_)};
  InitMessage message{};
  if (!attempt.initiator.write_init(index, attempt.payload, cookie_, message)) {
    stop();
    return std::nullopt;
  }
  if (attempts_.size() == kMaxOutstanding) attempts_.pop_front();
  attempts_.push_back(std::move(attempt));
  ++tries_;
  // Up to 20 % of jitter, so that a fleet does not come back in step.
  const auto jitter = interval_ * static_cast<int>(rng.below(200)) / 1000;
  next_ = now + interval_ + jitter;
  // Twice after the first interval: at 10 % loss each way, four tries within a second leave 1 in
  // 800 without an answer.
  if (tries_ > 1) interval_ = std::min(interval_ * 2, kInitRetryMost);
  return message;
}

std::optional<Initiation::Established> Initiation::on_resp(Bytes message, TimePoint now) {
  if (message.size() != kRespSize) return std::nullopt;
  const auto index = load_le<std::uint32_t>(message.data() + 8);
  for (auto& attempt : attempts_) {
    if (attempt.index != index) continue;
    auto accepted = attempt.initiator.read_resp(message);
    if (!accepted) continue;
    const auto payload = decode_resp_payload(accepted->payload);
    if (!payload) return std::nullopt;
    Established established{accepted->keys, attempt.index, accepted->peer_index, *payload,
                            now - attempt.sent};
    stop();
    return established;
  }
  return std::nullopt;
}

std::optional<InitMessage> Initiation::on_cookie(Bytes message) {
  if (message.size() != kCookieSize) return std::nullopt;
  for (auto& attempt : attempts_) {
    const auto cookie = attempt.initiator.read_cookie(message);
    if (!cookie) continue;
    // The same cookie again is a copy: an answer would let anybody who has seen it make us send.
    if (cookie == cookie_) return std::nullopt;
    cookie_ = cookie;
    InitMessage again{};
    if (!attempt.initiator.write_init(attempt.index, attempt.payload, cookie_, again)) {
      return std::nullopt;
    }
    return again;
  }
  return std::nullopt;
}

}  // namespace wormhole
