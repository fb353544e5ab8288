// The initiator's side of a handshake over a lossy path: when to send the next INIT, and which RESP
// fits.
//
//   idle ──start──► trying ──RESP──► idle
//   trying: an INIT now, again after 250 ms, 250 ms, 500 ms, and then every second
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/crypto/handshake.hpp"
#include "wormhole/wire/handshake_payload.hpp"

namespace wormhole {

/// First retry: a 150 ms path (satellite: 600) has answered by then in most cases; doubling to 1 s,
/// which is the longest that a restarted server may stay unnoticed.
inline constexpr Duration kInitRetryFirst = 250ms;
inline constexpr Duration kInitRetryMost = 1s;

using InitMessage = std::array<std::uint8_t, kInitSize>;

class Initiation {
 public:
  /// `self` must outlive this. The attempt number grows from `payload`'s with each INIT.
  Initiation(const KeyPair& self, const PublicKey& responder, HandshakeContext context,
             InitPayload payload);

  /// Begins trying at `at`; when already trying, at the earlier of both times.
  void start(TimePoint at);
  void stop();
  bool is_trying() const { return next_ != kNever; }
  TimePoint next_deadline() const { return next_; }

  /// The attempt number of the last INIT.
  std::uint32_t attempt() const { return payload_.attempt; }
  /// INITs sent since the last start: 0 for the first.
  unsigned tries() const { return tries_; }

  /// The next INIT when one is due. `index` is our index for the session that it may open. Nothing
  /// when not due, or when the responder's key can't be used (then it stops).
  std::optional<InitMessage> next_init(std::uint32_t index, TimePoint now, Rng& rng);

  struct Established {
    TransportKeys keys;
    std::uint32_t local_index;
    std::uint32_t remote_index;
    RespPayload payload;
    Duration rtt;
  };
  /// Takes a RESP to one of the last INITs; it then stops (also when the verdict is a refusal).
  std::optional<Established> on_resp(Bytes message, TimePoint now);
  /// Takes a COOKIE for one of the last INITs: that INIT to send again, at once. Nothing for a
  /// cookie that we have already.
  std::optional<InitMessage> on_cookie(Bytes message);

 private:
  /// INITs whose answer is still good: on a path of 1.5 s round trip four are under way.
  static constexpr std::size_t kMaxOutstanding = 4;
  struct Attempt {
    Initiator initiator;
    std::uint32_t index;
    TimePoint sent;
    std::array<std::uint8_t, kInitPayloadSize> payload;
  };

  const KeyPair& self_;
  PublicKey responder_;
  HandshakeContext context_;
  InitPayload payload_;
  TimePoint next_ = kNever;
  Duration interval_ = kInitRetryFirst;
  unsigned tries_ = 0;
  std::deque<Attempt> attempts_;
  std::optional<Mac> cookie_;
};

}  // namespace wormhole
