#include "wormhole/base/outbox.hpp"

#include <utility>

namespace wormhole {

std::vector<std::uint8_t> NetSend::copy() const {
  std::vector<std::uint8_t> whole(bytes.begin(), bytes.end());
  whole.insert(whole.end(), tail.begin(), tail.end());
  return whole;
}

Outbox::Outbox(std::size_t arena_bytes, std::size_t max_sends)
    // Not value-initialised: touched pages are paid for, and most trays never fill.
    : arena_(new std::uint8_t[arena_bytes]), arena_size_(arena_bytes), max_sends_(max_sends) {
  net_.reserve(max_sends_);
  app_.reserve(max_sends_);
}

void Outbox::net(SocketNo socket, const Endpoint& to, Bytes bytes, std::uint8_t ttl) {
  if (net_.size() == max_sends_) {
    ++dropped_;
    return;
  }
  net_.push_back({socket, to, bytes, ttl, {}});
}

void Outbox::net_with_tail(SocketNo socket, const Endpoint& to, Bytes bytes, Bytes tail) {
  if (net_.size() == max_sends_) {
    ++dropped_;
    return;
  }
  net_.push_back({socket, to, bytes, 0, tail});
}

void Outbox::app(AppPort port, const Endpoint& to, Bytes bytes) {
  if (app_.size() == max_sends_) {
    ++dropped_;
    return;
  }
  app_.push_back({port, to, bytes});
}

void Outbox::log(LogLevel level, std::string text) {
  if (log_.size() == kMaxLogLines) {
    ++dropped_;
    return;
  }
  log_.push_back({level, std::move(text)});
}

MutBytes Outbox::reserve(std::size_t size) {
  const auto whole = kHeadroom + size + kTailroom;
  if (size == 0 || arena_size_ - arena_used_ < whole) {
    ++dropped_;
    return {};
  }
  std::uint8_t* start = arena_.get() + arena_used_ + kHeadroom;
  arena_used_ += whole;
  return {start, size};
}

void Outbox::clear() {
  net_.clear();
  app_.clear();
  log_.clear();
  arena_used_ = 0;
}

}  // namespace wormhole
