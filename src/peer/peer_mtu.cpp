// How large a peer's frames may be, which way they go, and the questions about it.
#include <algorithm>

#include "wormhole/peer/peer.hpp"

namespace wormhole {
namespace {

constexpr std::size_t kDirectOverhead = kHeaderSize + kTagSize;
constexpr std::size_t kRelayOverhead = kDirectOverhead + kHopTagSize;
static_assert(PathMtu::kMost - kDirectOverhead == kMaxStreamText);
static_assert(PathMtu::kBase - kRelayOverhead >= kStreamPrefix + kMinStreamDatagram);
static_assert(PathMtu::kBase - kRelayOverhead >= kMaxControlSize);
// The largest datagram in the smallest fragments.
static_assert((PathMtu::kBase - kRelayOverhead - kFragmentHeaderSize) * kMaxFragments >= 65535);

}  // namespace

/// Largest plaintext of a frame that goes this way.
std::size_t Peer::text_room(Way way) const {
  const auto direct = direct_mtu_.size() - kDirectOverhead;
  const auto relay = relay_mtu_.size() - kRelayOverhead;
  if (way == Way::kDirect) return direct;
  return way == Way::kRelay ? relay : std::min(direct, relay);
}

/// Where we are, or the peer is, may have changed: nothing is known any more.
void Peer::forget_mtu() {
  direct_mtu_.begin();
  relay_mtu_.begin();
}

/// A challenge that came by the relay asks how large a frame the relay's way carries; there, a
/// response answers one.
bool Peer::on_relay_proof(const ControlItem& item, ControlWriter& reply, TimePoint now) {
  if (const auto* challenge = std::get_if<PathChallenge>(&item)) {
    reply.add(PathResponse{challenge->token});
  } else if (const auto* response = std::get_if<PathResponse>(&item)) {
    relay_mtu_.on_answer(response->token, now);
  } else {
    return false;
  }
  return true;
}

void Peer::serve_mtu(TimePoint now, Outbox& out) {
  serve_mtu(direct_mtu_, FrameType::kDirect, now, out);
  serve_mtu(relay_mtu_, FrameType::kRelayed, now, out);
}

void Peer::serve_mtu(PathMtu& mtu, FrameType type, TimePoint now, Outbox& out) {
  const bool less = mtu.on_timeout(now, probes_);
  for (const auto& probe : probes_) send_probe(probe, type, now, out);
  probes_.clear();
  if (!less) return;
  streams_.on_path_back();  // what was lost is sent at once, in smaller packets
  stirred_ = true;
}

/// A challenge that is padded to the size that is asked about.
void Peer::send_probe(const MtuProbe& probe, FrameType type, TimePoint now, Outbox& out) {
  auto* session = slots_.current();
  const bool direct = type == FrameType::kDirect;
  if (session == nullptr || (direct && paths_.in_use() == nullptr)) return;
  ControlWriter items;
  items.add(PathChallenge{probe.token});
  const auto overhead = direct ? kDirectOverhead : kRelayOverhead;
  const auto padding = probe.size == 0 ? 0 : probe.size - overhead - items.bytes().size();
  const auto text = out.reserve(items.bytes().size() + padding);
  if (text.empty()) return;
  copy_bytes(items.bytes(), text);
  if (padding > 0) write_padding(text.last(padding));
  auto& keys = session->keys(kControlSlot, "");
  const auto frame = session->seal(keys, type, FlowNo{0}, text, now, direct ? kFlagPath : kNoFlags);
  if (frame.empty()) return;
  if (!direct) {
    hop_.relay(frame, out);
    return;
  }
  out.net(paths_.in_use()->socket, paths_.in_use()->remote, frame);
}

}  // namespace wormhole
