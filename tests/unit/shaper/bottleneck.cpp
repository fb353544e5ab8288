#include "unit/shaper/bottleneck.hpp"

namespace wormhole::testing {
namespace {

constexpr std::size_t kPacket = 1200;
constexpr Duration kSecond = 1s;

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

std::vector<Duration> Sender::delays(int flow, TimePoint from) const {
  std::vector<Duration> all;
  for (const auto& arrival : arrivals_) {
    if (arrival.packet.flow == flow && arrival.packet.put_in >= from) {
      all.push_back(arrival.at - arrival.packet.put_in);
    }
  }
  return all;
}

double Sender::bits_since(TimePoint from) const {
  double bits = 0;
  for (const auto& arrival : arrivals_) {
    if (arrival.at >= from) bits += 8.0 * static_cast<double>(arrival.packet.size);
  }
  return bits;
}

void Sender::put_in(int flow, std::size_t size, TimePoint now) {
  offered_.emplace_back(now, size + kHeaders);
  if (!uplink_.is_shaping()) return put_on({flow, size + kHeaders, now, now}, now);
  std::vector<std::uint8_t> text(size);
  const auto when = now.time_since_epoch().count();
  copy_bytes(Bytes(reinterpret_cast<const std::uint8_t*>(&when), sizeof when), text);
  ShaperTerms terms;
  terms.group = flow == kMavlink ? UplinkClass::kHigh : UplinkClass::kNormal;
  shaper_.add(FlowNo{static_cast<std::uint16_t>(flow)}, terms, ClientNo{}, text, now);
}

void Sender::put_on(const Carried& packet, TimePoint now) {
  sent_.push_back(packet);
  const auto passed = bottleneck_.carry(packet.size, now);
  const bool dropped = !passed || std::uniform_real_distribution<>(0, 1)(rng_) < loss;
  if (dropped) {
    ++lost_[static_cast<std::size_t>(packet.flow)];
    losses_.push_back(now);
    return;
  }
  const auto extra =
      Duration(jitter.count() == 0 ? 0 : static_cast<std::int64_t>(rng_()) % jitter.count());
  auto at = *passed + delay + std::max(extra, Duration{});
  if (!under_way_.empty()) at = std::max(at, under_way_.back().at);
  under_way_.push_back({packet, at});
}

void Sender::release(TimePoint now) {
  if (!uplink_.is_shaping()) shaper_.set_pace(std::nullopt, now);
  if (shaper_.next_deadline() > now && shaper_.backlog() == 0) return;
  while (const auto turn = shaper_.next(now)) {
    std::int64_t when = 0;
    std::copy_n(turn->text.data(), sizeof when, reinterpret_cast<std::uint8_t*>(&when));
    const Carried packet{turn->flow.value, turn->text.size() + kHeaders, TimePoint(Duration(when)),
                         now};
    put_on(packet, now);
    uploaded_ += packet.size;
    shaper_.charge(packet.size, now);
  }
}

/// The peer's: 20 a second, and 1 % of the bytes at most.
void Sender::report(TimePoint now) {
  while (!under_way_.empty() && under_way_.front().at <= now) {
    unreported_ += under_way_.front().packet.size;
    arrivals_.push_back(under_way_.front());
    under_way_.pop_front();
  }
  if (!reports || now - last_report_ < 50ms || unreported_ < 12'000) return;
  last_report_ = now;
  unreported_ = 0;
  on_their_way_.push_back({now + delay, now});
}

/// What a detector knows that has seen everything up to `of`.
LinkState Sender::state_at(TimePoint of, TimePoint now) {
  LinkState state = known_;
  const auto sum = [&](const auto& all, const auto& time, const auto& size, TimePoint until,
                       Duration span) {
    double bytes = 0;
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
      if (time(*at) > until) continue;
      if (time(*at) <= until - span) break;
      bytes += static_cast<double>(size(*at));
    }
    return 8 * bytes / seconds(span);
  };
  const auto arrived = [](const Arrival& a) { return a.at; };
  const auto arrived_size = [](const Arrival& a) { return a.packet.size; };
  state.sent_bps = sum(
      sent_, [](const Carried& c) { return c.sent; }, [](const Carried& c) { return c.size; }, now,
      kSecond);
  state.offered_bps = sum(
      offered_, [](const auto& o) { return o.first; }, [](const auto& o) { return o.second; }, now,
      kSecond);
  state.delivered_bps = sum(arrivals_, arrived, arrived_size, of, kSecond);
  auto least = Duration::max();
  for (auto at = arrivals_.rbegin(); at != arrivals_.rend() && at->at > of - 100ms; ++at) {
    if (at->at <= of) least = std::min(least, at->at - at->packet.sent);
  }
  if (least != Duration::max()) state.queue_delay = std::max(least - delay - 2ms, Duration{});
  std::erase_if(losses_, [&](TimePoint at) { return now - at > kSecond; });
  const auto packets = std::count_if(sent_.rbegin(), sent_.rend(),
                                     [&](const Carried& c) { return now - c.sent < kSecond; });
  state.loss =
      packets == 0 ? 0 : static_cast<double>(losses_.size()) / static_cast<double>(packets);
  const auto rtt = 2 * delay + state.queue_delay;
  state.rtt = state.rtt ? (7 * *state.rtt + rtt) / 8 : rtt;
  const bool stands = state.queue_delay > 30ms || state.loss > 0.1;
  if (stands && !full_since_) full_since_ = now;
  if (!stands) full_since_.reset();
  if (stands) {
    full_last_ = now;
    state.capacity_bps = sum(arrivals_, arrived, arrived_size, of, 400ms);
  }
  if (full_since_ && now - *full_since_ >= 250ms) state.verdict = LinkVerdict::kLimit;
  if (shaper_.backlog() > 0 && state.verdict == LinkVerdict::kLimit) full_last_ = now;
  if (now - full_last_ > 2s) state.verdict = LinkVerdict::kClear;
  return state;
}

void Sender::control(TimePoint now) {
  bool news = false;
  while (!on_their_way_.empty() && on_their_way_.front().heard <= now) {
    known_ = state_at(on_their_way_.front().of, now);
    known_at_ = now;
    on_their_way_.pop_front();
    news = true;
  }
  if (known_at_ == TimePoint::min() || (!news && now < uplink_.next_deadline())) return;
  const UplinkWay way{known_, now - known_at_};
  const bool was = uplink_.is_shaping();
  uplink_.update({&way, 1}, {1, uploaded_, shaper_.backlog()}, now);
  if (uplink_.is_shaping() && !was) ++begun;
  if (uplink_.is_shaping()) shaper_.set_pace(uplink_.pace(), now);
}

void Sender::step(TimePoint now) {
  const auto around = [&](Duration middle, Duration by) {
    return middle +
           Duration(
               static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(2 * by.count()))) -
           by;
  };
  if (video > 0 && now >= next_frame_) {
    next_frame_ = now + around(33ms, 2ms);
    auto left = static_cast<std::size_t>(video / 8 * 0.033 *
                                         std::uniform_real_distribution<>(0.8, 1.2)(rng_));
    for (; left > 0; left -= std::min(left, kPacket)) {
      put_in(kVideo, std::max<std::size_t>(std::min(left, kPacket), 16), now);
    }
  }
  if (mavlink && now >= next_mavlink_) {
    next_mavlink_ = now + around(20ms, 3ms);
    put_in(kMavlink, 60, now);
  }
  release(now);
  report(now);
  control(now);
  while (sent_.size() > 20'000) sent_.pop_front();
  while (offered_.size() > 20'000) offered_.pop_front();
}

void run(std::vector<Sender*> senders, TimePoint from, Duration span,
         const std::function<void(TimePoint)>& each) {
  for (auto now = from; now < from + span; now += 500us) {
    for (auto* sender : senders) sender->step(now);
    if (each) each(now);
  }
}

Duration quantile(std::vector<Duration> all, double share) {
  if (all.empty()) return {};
  std::sort(all.begin(), all.end());
  return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))];
}

}  // namespace wormhole::testing
