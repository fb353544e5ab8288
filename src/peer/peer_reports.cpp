// What goes and comes by each way to a peer, and what the two ends tell each other of it
// (docs/protocol.md, section 13).
#include "wormhole/peer/peer.hpp"

namespace wormhole {

std::size_t Peer::overhead(Way which) const {
  if (which != Way::kDirect) return hop_.headers() + kHopTagSize;
  return paths_.in_use() == nullptr ? 0 : headers_of(paths_.in_use()->remote);
}

/// Reports leave upon arrivals alone: nothing is told of what does not flow.
void Peer::report(Way which, TimePoint now, Outbox& out) {
  ControlWriter items;
  items.add(way(which).heard.take(which == Way::kDirect, now));
  send_control(items, now, out);
}

void Peer::on_group_frame(FrameMark mark, std::size_t size, TimePoint now, Outbox& out) {
  note_activity(now);
  note_arrival(Way::kRelay, mark, size, now, out);
}

/// Another path, or another process of the peer's: what is known is of the one before.
void Peer::forget_way(Way which) {
  way(which).monitor.reset();
  way(which).sent.clear();
  way(which).news.reset();
}

}  // namespace wormhole
