#include "wormhole/api/http_feed.hpp"

#include <utility>

namespace wormhole {

void HttpFeed::publish(std::string_view text) {
  for (Listener* listener : listeners_) listener->add(text);
}

bool HttpFeed::has_room() {
  const bool room = listeners_.size() < kMostListeners;
  if (!room) ++counts_.refused;
  return room;
}

HttpFeed::Listener::Listener(HttpFeed& feed, std::function<void()> wake)
    : feed_(feed), wake_(std::move(wake)) {
  feed_.listeners_.push_back(this);
}

HttpFeed::Listener::~Listener() { std::erase(feed_.listeners_, this); }

std::string HttpFeed::Listener::take() { return std::exchange(waiting_, {}); }

void HttpFeed::Listener::note_stalled() {
  if (!std::exchange(cut_, true)) ++feed_.counts_.cut;
}

void HttpFeed::Listener::add(std::string_view text) {
  if (cut_) return;
  if (waiting_.size() + text.size() > kMostWaiting) {
    note_stalled();
    waiting_ = {};
  } else {
    waiting_ += text;
  }
  wake_();
}

}  // namespace wormhole
