// Stream packets on their way out, and when the way back is open again.
#include <algorithm>

#include "wormhole/peer/peer.hpp"

namespace wormhole {
namespace {

/// Silence while something is unacknowledged that means an outage and not one lost packet: two
/// probe timeouts of a path with 100 ms.
constexpr Duration kOutage = 500ms;

}  // namespace

void Peer::flush_streams(TimePoint now, Outbox& out, int most) {
  streams_due_ = false;
  if (!streams_can_run()) return;
  for (const auto group : kStreamClasses) flush_class(group, most, now, out);
}

void Peer::flush_class(StreamClass group, int most, TimePoint now, Outbox& out) {
  if (streams_.find(group) == nullptr) return;
  const FlowRef flow{FlowNo{0}, kStreamSlot, kStreamKeyName, group == StreamClass::kRelayOnly};
  auto& keys = slots_.current()->keys(flow.slot, flow.name);
  const auto way = way_of(flow, now);
  streams_.set_room(group, text_room(way));
  for (int left = most; left > 0; --left) {
    const auto room = out.reserve(kMaxStreamText + kStreamTail);
    // A full tray is emptied before the next call.
    const auto size = room.empty() ? 0 : streams_.next_packet(group, room, now);
    if (size == 0) {
      streams_due_ |= room.empty();
      return;
    }
    note_activity(now);
    dispatch(keys, flow, way, room.first(size), kFlagStream, now, out);
  }
  streams_due_ = true;
}

void Peer::rouse(TimePoint now, Outbox& out) {
  if (initiation_.is_trying()) initiation_.start(now);
  if (streams_.awaits_answer()) send_ping(now, out);
}

void Peer::close_streams(TimePoint now, Outbox& out) {
  for (const auto group : kStreamClasses) streams_.want(group, false, now);
  flush_streams(now, out);
}

/// An authentic frame came. After an outage the streams would wait for a timer that has grown as
/// long as the outage was.
void Peer::note_heard(TimePoint now) {
  const bool was_out = heard_ != TimePoint::min() && now - heard_ > kOutage &&
                       now - heard_ > 2 * streams_.rtt() && streams_.awaits_answer();
  heard_ = now;
  if (!was_out) return;
  streams_.on_path_back();
  stirred_ = true;
}

}  // namespace wormhole
