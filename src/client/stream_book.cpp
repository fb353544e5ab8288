#include "client/stream_book.hpp"

#include <limits>

namespace wormhole {

StreamConnection* StreamBook::connection(const StreamRef& ref) const {
  auto* const at = peer(ref.slot);
  return at == nullptr ? nullptr : at->streams().find(ref.group);
}

std::optional<StreamRef> StreamBook::open(std::uint16_t slot, StreamClass group, TcpNo owner) {
  auto* const at = peer(slot);
  auto* const connection = at == nullptr ? nullptr : at->streams().usable(group);
  const auto id = connection == nullptr ? std::nullopt : connection->open();
  if (!id) return std::nullopt;
  const StreamRef ref{slot, group, *id};
  bind(ref, owner);
  touch(slot);
  return ref;
}

std::optional<TcpNo> StreamBook::owner(const StreamRef& ref) const {
  const auto at = owners_.find(ref);
  return at == owners_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<std::pair<StreamRef, TcpNo>> StreamBook::streams_of(std::uint16_t slot,
                                                                StreamClass group) const {
  constexpr StreamId kFirst{std::numeric_limits<std::int64_t>::min()};
  std::vector<std::pair<StreamRef, TcpNo>> all;
  for (auto at = owners_.lower_bound({slot, group, kFirst}); at != owners_.end(); ++at) {
    if (at->first.slot != slot || at->first.group != group) break;
    all.emplace_back(*at);
  }
  return all;
}

void StreamBook::touch(std::uint16_t slot) {
  if (slot >= is_touched_.size()) is_touched_.resize(slot + std::size_t{1});
  if (is_touched_[slot]) return;
  is_touched_[slot] = true;
  touched_.push_back(slot);
}

const std::vector<std::uint16_t>& StreamBook::take_touched() {
  for (const auto slot : touched_) is_touched_[slot] = false;
  taken_.clear();
  taken_.swap(touched_);
  return taken_;
}

}  // namespace wormhole
