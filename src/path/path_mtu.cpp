#include "wormhole/path/path_mtu.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wormhole {
namespace {

/// What the links in common use carry, with the IP packet that it makes.
constexpr std::array<std::size_t, 10> kSizes{
    1252,  // 1,280 by IPv4
    1312,  // 1,340: tunnels within tunnels
    1352,  // 1,400 by IPv6, 1,380 by IPv4: mobile networks
    1372,  // 1,420 by IPv6 (WireGuard), 1,400 by IPv4
    1392,  // 1,420 by IPv4
    1432,  // 1,480 by IPv6 and 1,460 by IPv4: IP in IP, some clouds
    1444,  // 1,492 by IPv6 (PPPoE)
    1452,  // 1,500 by IPv6, 1,480 by IPv4
    1464,  // 1,492 by IPv4
    PathMtu::kMost};

/// Before the first answer: the verdict comes after 1.1 s, the answer by a geostationary satellite
/// after 0.6 s.
constexpr Duration kFirstPatience = 500ms;
/// The other end's loop may be busy for tens of milliseconds.
constexpr Duration kLeastPatience = 100ms;
constexpr Duration kMostPatience = 1s;
/// Between the second and the third question: what one burst has lost another may not.
constexpr Duration kBurst = 100ms;
/// A round that said nothing, as the way was down, is repeated after so long.
constexpr Duration kAgain = 500ms;

}  // namespace

void PathMtu::begin() {
  size_ = kBase;
  failed_ = kMost + 1;
  searching_ = true;
  search_at_ = confirmed_ = TimePoint{};
  rtt_.reset();
  due_ = kNever;
  awaited_.fill({});
}

Duration PathMtu::patience() const {
  if (!rtt_) return kFirstPatience;
  return std::clamp(*rtt_ * 3 / 2, kLeastPatience, kMostPatience);
}

/// The largest first, for most paths carry it; then the middle of what is left.
std::optional<std::size_t> PathMtu::next_target() const {
  if (failed_ > kMost) return kMost;
  const auto* const first = std::upper_bound(kSizes.begin(), kSizes.end(), size_);
  const auto* const last = std::lower_bound(first, kSizes.end(), failed_);
  if (first == last) return std::nullopt;
  return *(first + std::distance(first, last) / 2);
}

void PathMtu::search(TimePoint now) {
  searching_ = true;
  if (const auto target = next_target()) ask(*target, now);
}

void PathMtu::ask(std::size_t size, TimePoint at) {
  asked_ = size;
  tries_ = 0;
  lives_ = false;
  due_ = at;
}

void PathMtu::send(std::size_t size, TimePoint now, std::vector<MtuProbe>& probes) {
  const MtuProbe probe{rng_.number<std::uint64_t>(), size};
  awaited_[slot_] = {probe, now};
  slot_ = static_cast<std::uint8_t>((slot_ + 1) % kAsked);
  probes.push_back(probe);
}

bool PathMtu::on_timeout(TimePoint now, std::vector<MtuProbe>& probes) {
  if (now < due_) return false;
  if (tries_ == kTries) return judge(now);
  ++tries_;
  // From the second on a small one goes along: only when that is answered, the size is to blame. It
  // goes first, for behind the large one it would be part of the same run (UDP_SEGMENT), which
  // bridges and routers between virtual machines forward or drop as a whole.
  if (tries_ > 1) send(0, now, probes);
  send(asked_, now, probes);
  due_ = now + (tries_ == 2 ? kBurst : patience());
  return false;
}

/// No question of this round was answered in time.
bool PathMtu::judge(TimePoint now) {
  due_ = kNever;
  if (!lives_) {
    search_at_ = std::max(search_at_, now + kAgain);
    confirmed_ = now + kAgain - kConfirm;
    return false;
  }
  const bool was_carried = asked_ == size_;
  if (was_carried) {
    fall(now);
  } else {
    failed_ = asked_;
    plan(now);
  }
  return was_carried;
}

void PathMtu::fall(TimePoint now) {
  size_ = kBase;
  failed_ = kMost + 1;
  searching_ = true;
  search_at_ = now;
  awaited_.fill({});  // answers under way speak of the time before
  ++black_holes_;
}

/// After a round of the search: the next packet begins the next one, or the next search.
void PathMtu::plan(TimePoint now) {
  searching_ = size_ < kMost && next_target().has_value();
  if (searching_) {
    search_at_ = now;
  } else {
    failed_ = kMost + 1;
    search_at_ = size_ < kMost ? now + kRaise : kNever;
  }
}

bool PathMtu::on_answer(std::uint64_t token, TimePoint now) {
  const auto at = std::find_if(awaited_.begin(), awaited_.end(), [&](const Asked& asked) {
    return asked.at != kNever && asked.probe.token == token;
  });
  if (at == awaited_.end()) return false;
  const auto [probe, sent] = std::exchange(*at, {});
  rtt_ = now - sent;
  if (probe.size == 0) {
    lives_ = true;
    return true;
  }
  if (probe.size < size_) return true;
  const bool larger = probe.size > size_;
  size_ = probe.size;
  confirmed_ = now;
  if (size_ >= failed_) failed_ = kMost + 1;  // it was late, not lost
  if (due_ != kNever && asked_ <= size_) due_ = kNever;
  if (larger) plan(now);
  return true;
}

}  // namespace wormhole
