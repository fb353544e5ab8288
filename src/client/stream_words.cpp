#include "client/stream_words.hpp"

#include <algorithm>
#include <string_view>

namespace wormhole {
namespace {

constexpr std::uint8_t kFramed = 0x01;
constexpr std::uint8_t kRefused = 1;

void put_be16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace

std::array<std::uint8_t, StreamHello::kSize> encode(const StreamHello& hello) {
  std::array<std::uint8_t, StreamHello::kSize> bytes{};
  store_le(bytes.data(), hello.flow.value);
  bytes[2] = hello.framed ? kFramed : 0;
  store_le(bytes.data() + 3, hello.application_port);
  return bytes;
}

std::optional<StreamHello> decode_hello(Bytes bytes) {
  if ((bytes[2] & ~kFramed) != 0) return std::nullopt;
  return StreamHello{FlowNo{load_le<std::uint16_t>(bytes.data())}, bytes[2] == kFramed,
                     load_le<std::uint16_t>(bytes.data() + 3)};
}

std::size_t HelloReader::take(Bytes bytes) {
  const auto taken = std::min(bytes.size(), bytes_.size() - have_);
  copy_bytes(bytes.first(taken), MutBytes(bytes_).subspan(have_));
  have_ += taken;
  return taken;
}

std::vector<std::uint8_t> encode_refusal(std::string reason) {
  reason.resize(std::min<std::size_t>(reason.size(), 255));
  std::vector<std::uint8_t> bytes(2 + reason.size());
  bytes[0] = kRefused;
  bytes[1] = static_cast<std::uint8_t>(reason.size());
  copy_bytes(as_bytes(reason), MutBytes(bytes).subspan(2));
  return bytes;
}

std::size_t AnswerReader::size() const {
  if (bytes_.empty() || bytes_[0] != kRefused) return 1;
  return bytes_.size() < 2 ? 2 : std::size_t{2} + bytes_[1];
}

std::size_t AnswerReader::take(Bytes bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && bytes_.size() < size()) bytes_.push_back(bytes[taken++]);
  return taken;
}

std::string AnswerReader::reason() const {
  if (bytes_[0] != kRefused) return "it answers what this version cannot read";
  std::string text;
  // A peer's words go into logs and terminals.
  for (const auto c : Bytes(bytes_).subspan(2)) {
    text += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '?';
  }
  return text.empty() ? "it gives no reason" : text;
}

std::vector<std::uint8_t> proxy_header(const Endpoint& source, const Endpoint& destination,
                                       const std::string& id) {
  constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
  constexpr std::uint8_t kProxyV2 = 0x21;
  constexpr std::uint8_t kTcp4 = 0x11;
  constexpr std::uint8_t kIdTlv = 0xe0;
  constexpr std::size_t kAddresses = 12;
  std::vector<std::uint8_t> bytes(kSignature.begin(), kSignature.end());
  bytes.push_back(kProxyV2);
  bytes.push_back(kTcp4);
  put_be16(bytes, kAddresses + 3 + id.size());
  for (const auto* end : {&source, &destination}) {
    bytes.insert(bytes.end(), end->address.bytes.end() - 4, end->address.bytes.end());
  }
  put_be16(bytes, source.port);
  put_be16(bytes, destination.port);
  bytes.push_back(kIdTlv);
  put_be16(bytes, id.size());
  bytes.insert(bytes.end(), id.begin(), id.end());
  return bytes;
}

}  // namespace wormhole
