#include "shell/loop_watch.hpp"

#include <algorithm>

namespace wormhole {

void LoopWatch::start() {
  const auto due = std::chrono::steady_clock::now() + kInterval;
  timer_.expires_at(due);
  timer_.async_wait([this, due](const boost::system::error_code& aborted) {
    if (aborted || closed_) return;
    late_.at(count_++ % kKept) =
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - due);
    start();
  });
}

void LoopWatch::close() {
  closed_ = true;
  timer_.cancel();
}

LoopStatus LoopWatch::status() const {
  auto late = late_;
  const auto kept = std::min(count_, kKept);
  std::sort(late.begin(), late.begin() + static_cast<std::ptrdiff_t>(kept));
  if (kept == 0) return {};
  return {late.at((kept * 99 + 99) / 100 - 1), late.at(kept - 1)};
}

}  // namespace wormhole
