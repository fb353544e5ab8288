#include "wormhole/congestion/delay_watch.hpp"

#include <algorithm>

namespace wormhole {

void DelayWatch::add(TimePoint sent, Duration at) {
  const auto delay = at - sent.time_since_epoch();
  // Whatever stood in a queue then is gone, and the clocks have drifted.
  if (count_ > 0 && at - slice(0).begin > kAge) *this = {};
  if (count_ == 0 || at - slice(0).begin >= kSlice) {
    slices_[count_++ % kSlices] = {at, delay};
  } else {
    auto& newest = slices_[(count_ - 1) % kSlices];
    newest.least = std::min(newest.least, delay);
  }
  if (bases_known_ == 0 || (at - base_begin_ >= kAge && !held_)) {
    for (std::size_t i = bases_.size() - 1; i > 0; --i) bases_[i] = bases_[i - 1];
    bases_[0] = delay;
    bases_known_ = std::min(bases_known_ + 1, bases_.size());
    base_begin_ = at;
  }
  bases_[0] = std::min(bases_[0], delay);
}

Duration DelayWatch::base() const {
  return *std::min_element(bases_.begin(),
                           bases_.begin() + static_cast<std::ptrdiff_t>(bases_known_));
}

Duration DelayWatch::queue() const {
  if (count_ == 0) return {};
  auto least = slice(0).least;
  if (kept() > 1 && slice(0).begin - slice(1).begin < 2 * kSlice) {
    least = std::min(least, slice(1).least);
  }
  return least - base();
}

DelayWatch::Range DelayWatch::range(Duration span) const {
  Range found;
  for (std::size_t back = 0; back < kept(); ++back) {
    if (slice(0).begin - slice(back).begin > span) break;
    const auto queue = slice(back).least - base();
    found.least = back == 0 ? queue : std::min(found.least, queue);
    found.most = std::max(found.most, queue);
    ++found.slices;
  }
  return found;
}

bool DelayWatch::climbs(std::size_t count, Duration step, double share) const {
  // The newest is not over yet, and its least may fall.
  if (kept() < count + 2) return false;
  Duration most{};
  for (std::size_t back = 1; back <= count; ++back) {
    const auto rise = slice(back).least - slice(back + 1).least;
    if (rise < step) return false;
    most = std::max(most, rise);
  }
  const auto all = slice(1).least - slice(count + 1).least;
  return static_cast<double>(most.count()) <= share * static_cast<double>(all.count());
}

/// From the least of the older half to the least of the newer one, twice.
Duration DelayWatch::growth(Duration span) const {
  std::optional<Duration> newer;
  std::optional<Duration> older;
  for (std::size_t back = 0; back < kept(); ++back) {
    const auto age = slice(0).begin - slice(back).begin;
    if (age > span) break;
    auto& half = 2 * age < span ? newer : older;
    half = half ? std::min(*half, slice(back).least) : slice(back).least;
  }
  return newer && older ? 2 * (*newer - *older) : Duration{};
}

Duration DelayWatch::rise(Duration span) const {
  Duration most{};
  std::optional<Duration> peak;  // of all that is newer
  for (std::size_t back = 0; back < kept(); ++back) {
    if (slice(0).begin - slice(back).begin > span) break;
    const auto least = slice(back).least;
    peak = peak ? std::max(*peak, least) : least;
    most = std::max(most, *peak - least);
  }
  return most;
}

void DelayWatch::rebase() {
  if (count_ == 0) return;
  auto least = slice(0).least;
  for (std::size_t back = 1; back < std::min<std::size_t>(kept(), 12); ++back) {
    least = std::min(least, slice(back).least);
  }
  bases_.fill(least);
  bases_known_ = 1;
  base_begin_ = slice(0).begin;
}

}  // namespace wormhole
