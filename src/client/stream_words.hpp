// What the two ends of a stream say before the application's bytes (docs/protocol.md, section 9).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

/// The opener's first bytes: which flow, and which port its application has.
struct StreamHello {
  static constexpr std::size_t kSize = 5;
  FlowNo flow;
  bool framed = false;  ///< the answer's bytes come as whole reads (fanout: copy)
  std::uint16_t application_port = 0;
};
std::array<std::uint8_t, StreamHello::kSize> encode(const StreamHello& hello);
/// Nothing when it is not of this version; `bytes` has kSize.
std::optional<StreamHello> decode_hello(Bytes bytes);

/// Gathers a hello whose bytes come in any pieces.
class HelloReader {
 public:
  /// Returns how many of the bytes belong to it.
  std::size_t take(Bytes bytes);
  bool is_complete() const { return have_ == bytes_.size(); }
  std::optional<StreamHello> hello() const { return decode_hello(bytes_); }

 private:
  std::array<std::uint8_t, StreamHello::kSize> bytes_{};
  std::size_t have_ = 0;
};

inline constexpr std::uint8_t kStreamAccepted = 0;
/// The other end's first bytes when it refuses. At most 255 bytes of the reason travel.
std::vector<std::uint8_t> encode_refusal(std::string reason);

/// Gathers the other end's first bytes, which come in any pieces.
class AnswerReader {
 public:
  /// Returns how many of the bytes belong to the answer.
  std::size_t take(Bytes bytes);
  bool is_complete() const { return !bytes_.empty() && bytes_.size() == size(); }
  bool is_accepted() const { return bytes_.front() == kStreamAccepted; }
  /// Why not, in a few printable words. What cannot be read is a refusal, too.
  std::string reason() const;

 private:
  std::size_t size() const;
  std::vector<std::uint8_t> bytes_;
};

/// Length in front of each whole read.
inline constexpr std::size_t kFrameLength = 2;
/// Longest whole read: a block of the stream room, and what fits 16 bits many times.
inline constexpr std::size_t kMaxFrame = 16 * 1024;

/// PROXY protocol, version 2 (haproxy's proxy-protocol.txt, 2.2): a TCP connection over IPv4 with
/// the ID as TLV 0xE0, the first of those for applications' own use. Both endpoints are IPv4.
std::vector<std::uint8_t> proxy_header(const Endpoint& source, const Endpoint& destination,
                                       const std::string& id);

}  // namespace wormhole
