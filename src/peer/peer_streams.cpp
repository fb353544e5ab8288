#include "wormhole/peer/peer_streams.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {
namespace {

/// Whether `epoch` comes after `other` in a circle of 256.
bool is_newer(std::uint8_t epoch, std::uint8_t other) {
  const auto ahead = static_cast<std::uint8_t>(epoch - other);
  return ahead != 0 && ahead < 128;
}

}  // namespace

void PeerStreams::want(StreamClass group, bool wanted, TimePoint now) {
  auto& was = wanted_[static_cast<std::size_t>(group)];
  if (was == wanted) return;
  was = wanted;
  auto& own = lane(group);
  if (wanted) return make(own, now);
  if (own.connection) own.connection->close();
}

void PeerStreams::make(Lane& lane, TimePoint now) {
  lane.again_at = kNever;
  if (lane.connection) return;
  StreamConfig config;
  config.role = role_;
  config.congestion = congestion_;
  config.max_datagram = kMaxStreamText - kStreamPrefix;
  lane.connection = std::make_unique<StreamConnection>(config, rng_, now);
}

void PeerStreams::drop(Lane& lane) {
  if (!lane.connection) return;
  lane.connection.reset();
  lane.lost = true;
}

void PeerStreams::restart(TimePoint now) {
  for (const auto group : kStreamClasses) {
    auto& own = lane(group);
    drop(own);
    own.epoch = 0;
    if (wanted_[static_cast<std::size_t>(group)]) make(own, now);
  }
}

StreamConnection* PeerStreams::usable(StreamClass group) {
  auto* connection = find(group);
  const bool up = connection != nullptr && connection->state() == StreamState::kUp;
  return up && !lane(group).lost ? connection : nullptr;
}

void PeerStreams::on_packet(MutBytes text, TimePoint now) {
  if (text.size() < kStreamPrefix || text[0] >= lanes_.size()) {
    ++strays_;
    return;
  }
  auto& own = lanes_[text[0]];
  const auto epoch = text[1];
  if (is_newer(epoch, own.epoch)) {
    drop(own);
    own.epoch = epoch;
  }
  if (epoch != own.epoch) {
    own.tells_epoch = true;
    ++strays_;
    return;
  }
  // The peer may have heard of the flow before us, or be quicker to begin anew.
  make(own, now);
  if (text.size() == kStreamPrefix) return;
  const MutBytes with_tail{text.data() + kStreamPrefix, text.size() - kStreamPrefix + kStreamTail};
  own.connection->on_datagram(with_tail, now);
}

std::size_t PeerStreams::next_packet(StreamClass group, MutBytes room, TimePoint now) {
  auto& own = lane(group);
  room[0] = static_cast<std::uint8_t>(group);
  room[1] = own.epoch;
  const auto packet = room.subspan(kStreamPrefix);
  const auto size = own.connection ? own.connection->next_datagram(packet, now) : 0;
  if (size > 0) return kStreamPrefix + size;
  if (own.connection) replace_if_broken(group, now);
  room[1] = own.epoch;
  return std::exchange(own.tells_epoch, false) ? kStreamPrefix : 0;
}

/// Its last words have been sent, and it has said which streams it took along.
void PeerStreams::replace_if_broken(StreamClass group, TimePoint now) {
  auto& own = lane(group);
  if (own.connection->state() != StreamState::kBroken) return;
  drop(own);
  ++own.epoch;
  if (wanted_[static_cast<std::size_t>(group)]) own.again_at = now + kAgainAfter;
}

void PeerStreams::set_room(StreamClass group, std::size_t text) {
  if (auto* connection = find(group)) connection->set_max_datagram(text - kStreamPrefix);
}

void PeerStreams::on_path_back() {
  for (auto& own : lanes_) {
    if (own.connection) own.connection->on_path_back();
  }
}

void PeerStreams::on_path_change(StreamClass group) {
  if (auto* connection = find(group)) connection->on_path_change();
}

bool PeerStreams::awaits_answer() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& own) {
    return own.connection && own.connection->statistics().in_flight > 0;
  });
}

Duration PeerStreams::rtt() const {
  Duration longest{};
  for (const auto& own : lanes_) {
    if (own.connection) longest = std::max(longest, own.connection->statistics().smoothed_rtt);
  }
  return longest;
}

std::optional<PeerStreamEvent> PeerStreams::next_event() {
  for (const auto group : kStreamClasses) {
    auto& own = lane(group);
    if (std::exchange(own.lost, false)) return PeerStreamEvent{group, std::nullopt};
    if (!own.connection) continue;
    if (const auto event = own.connection->next_event()) return PeerStreamEvent{group, event};
  }
  return std::nullopt;
}

void PeerStreams::on_timeout(TimePoint now) {
  for (auto& own : lanes_) {
    if (now >= own.again_at) make(own, now);
    if (own.connection && own.connection->next_deadline() <= now) own.connection->on_timeout(now);
  }
}

TimePoint PeerStreams::next_deadline() const {
  auto due = kNever;
  for (const auto& own : lanes_) {
    due = std::min(due, own.again_at);
    if (own.connection) due = std::min(due, own.connection->next_deadline());
  }
  return due;
}

}  // namespace wormhole
