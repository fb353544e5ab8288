#include "shell/nat_desk.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wormhole {

using Clock = std::chrono::steady_clock;

NatDesk::NatDesk(boost::asio::io_context& io, NatChecker checker,
                 std::chrono::milliseconds patience)
    : checker_(std::move(checker)), patience_(patience), timer_(io) {}

bool NatDesk::ask(OnReport done) {
  if (waiting_.size() >= kMostWaiting) return false;
  waiting_.push_back({std::move(done), Clock::now() + patience_});
  if (waiting_.size() == 1) arm();
  return true;
}

void NatDesk::look() {
  if (waiting_.empty()) return;
  if (!begun_) {
    begun_ = checker_.begin();
  } else if (!checker_.runs()) {
    answer(waiting_.size(), true);
  }
}

void NatDesk::close() {
  waiting_.clear();
  timer_.cancel();
}

void NatDesk::arm() {
  timer_.expires_at(waiting_.front().until);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || waiting_.empty()) return;
    const auto now = Clock::now();
    const auto late = std::find_if(waiting_.begin(), waiting_.end(),
                                   [now](const Caller& one) { return one.until > now; });
    answer(static_cast<std::size_t>(late - waiting_.begin()), false);
  });
}

/// The first `count` of them.
void NatDesk::answer(std::size_t count, bool in_time) {
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<Caller> served(std::make_move_iterator(waiting_.begin()),
                                   std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  if (waiting_.empty()) {
    begun_ = false;
    timer_.cancel();
  } else {
    arm();
  }
  const auto status = checker_.status();
  for (const auto& one : served) one.done({status.server, status.nat, in_time});
}

}  // namespace wormhole
