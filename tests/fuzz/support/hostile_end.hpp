// The other end of a session, in the hands of somebody who has genuine keys and seals what he
// likes.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "wormhole/session/session.hpp"
#include "wormhole/wire/control.hpp"
#include "wormhole/wire/handshake_payload.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole::fuzz {

using Buffer = std::vector<std::uint8_t>;

class HostileEnd {
 public:
  HostileEnd(const TransportKeys& keys, Role role, std::uint32_t local, std::uint32_t remote,
             TimePoint now);

  /// A whole frame around `plaintext`, which is cut at what a datagram can hold.
  Buffer control(FrameType type, Bytes plaintext, TimePoint now);
  Buffer control(const ControlItem& item, TimePoint now);
  Buffer data(FlowNo flow, std::string_view name, Bytes plaintext, TimePoint now);
  /// The next bytes of our control stream, in order.
  Buffer stream(Bytes bytes, TimePoint now);
  /// A frame that the relay takes for genuine.
  Buffer relay_frame(FlowNo flow, std::uint32_t index, Bytes sealed) const;
  /// The plaintext of a control frame for us.
  std::optional<Buffer> open_control(Bytes frame, TimePoint now);

 private:
  Buffer seal(FrameType type, FlowNo flow, FlowKeys& keys, Bytes plaintext, TimePoint now);
  Session session_;
  HopTagKey relay_key_;
  std::uint32_t said_ = 0;  ///< bytes of our control stream
};

/// A hop or end-to-end handshake as its initiator and as its responder.
HandshakeContext hop_context();
HandshakeContext e2e_context(std::string_view initiator, std::string_view responder);
struct Answered {
  Buffer resp;
  std::unique_ptr<HostileEnd> end;
};
std::optional<Answered> answer_init(const KeyPair& self, const HandshakeContext& context,
                                    Bytes init, const RespPayload& payload, TimePoint now,
                                    Rng& rng);

}  // namespace wormhole::fuzz
